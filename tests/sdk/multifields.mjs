// Phones and mails: rows with ids of their own, added, changed and deleted one by one.
import assert from 'node:assert/strict'
import { portal, ask, leave } from './portal.mjs'

const $b24 = portal()
const phones = async (method, id) => ((await ask($b24, `${method}.get`, { id })).PHONE ?? [])
const brief = (rows) => rows.map((row) => [row.VALUE, row.VALUE_TYPE])
const left = { contacts: [], companies: [], leads: [] }

for (const [entity, method] of [['contacts', 'crm.contact'], ['companies', 'crm.company'], ['leads', 'crm.lead']]) {
  const id = await ask($b24, `${method}.add`, { fields: {
    TITLE: 'с телефонами', NAME: 'Анна',
    PHONE: [{ VALUE: '+7 900 000-00-01', VALUE_TYPE: 'WORK' }, { VALUE: '+7 900 000-00-02', VALUE_TYPE: 'MOBILE' }],
    EMAIL: [{ VALUE: 'anna@example.ru', VALUE_TYPE: 'HOME' }],
  } })
  const [one, two] = await phones(method, id)
  assert.ok(/^\d+$/.test(one.ID) && one.ID !== two.ID)
  assert.equal(one.TYPE_ID, 'PHONE')

  // A row with its id is changed, one without is added, the others stay; the same number twice is two rows.
  await ask($b24, `${method}.update`, { id, fields: { PHONE: [
    { ID: one.ID, VALUE: '+7 900 000-00-11', VALUE_TYPE: 'HOME' }, { VALUE: '+7 900 000-00-02', VALUE_TYPE: 'MOBILE' },
  ] } })
  assert.deepEqual(brief(await phones(method, id)), [
    ['+7 900 000-00-11', 'HOME'], ['+7 900 000-00-02', 'MOBILE'], ['+7 900 000-00-02', 'MOBILE'],
  ])
  const three = (await phones(method, id))[2]

  // DELETE and an empty value take away.
  await ask($b24, `${method}.update`, { id, fields: { PHONE: [{ ID: two.ID, DELETE: 'Y' }, { ID: three.ID, VALUE: '' }] } })
  assert.deepEqual(brief(await phones(method, id)), [['+7 900 000-00-11', 'HOME']])
  left[entity].push(await ask($b24, `${method}.get`, { id }))

  // Found by it; without any value the key is absent.
  const found = await ask($b24, `${method}.list`, { filter: { PHONE: '+7 900 000-00-11' }, select: ['ID', 'PHONE', 'EMAIL', 'WEB'] })
  assert.deepEqual(found.map((row) => row.ID), [String(id)])
  assert.equal(found[0].EMAIL[0].VALUE, 'anna@example.ru')
  assert.ok(!('WEB' in found[0]))
}

// fm of crm.item.*: a list when it is made, a map of keys when it is changed.
const { item } = await ask($b24, 'crm.item.add', { entityTypeId: 3, fields: {
  name: 'Олег', fm: [{ typeId: 'PHONE', valueType: 'WORK', value: '+7 901 1' }, { typeId: 'EMAIL', valueType: 'WORK', value: 'oleg@example.ru' }],
} })
const seen = async () => (await ask($b24, 'crm.item.get', { entityTypeId: 3, id: item.id })).item.fm
const [phone, mail] = await seen()
assert.deepEqual([phone.typeId, phone.valueType, phone.value], ['PHONE', 'WORK', '+7 901 1'])
await ask($b24, 'crm.item.update', { entityTypeId: 3, id: item.id, fields: { fm: {
  n0: { typeId: 'PHONE', valueType: 'HOME', value: '+7 901 2' },
  [phone.id]: { typeId: 'PHONE', valueType: 'MOBILE', value: '+7 901 3' },
  [mail.id]: { typeId: 'EMAIL', value: '' },
} } })
assert.deepEqual((await seen()).map((row) => [row.typeId, row.valueType, row.value]), [
  ['PHONE', 'MOBILE', '+7 901 3'], ['PHONE', 'HOME', '+7 901 2'],
])
left.contacts.push(await ask($b24, 'crm.contact.get', { id: item.id }))
for (const [name, value] of Object.entries(left)) {
  leave(name, value)
}

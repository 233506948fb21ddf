// Records made, changed and deleted, by classic methods and by crm.item.*.
import assert from 'node:assert/strict'
import { Text } from '@bitrix24/b24jssdk'
import { portal, ask, refusal, leave, ENTITIES, ITEMS } from './portal.mjs'

const $b24 = portal()
const left = {}
const moment = Text.toB24Format(new Date('2024-02-29T21:30:00Z'))
const MADE = {
  deals: { TITLE: 'Сделка "A" & <b>\r\n🔥', OPPORTUNITY: '1234567890123.45', CURRENCY_ID: 'EUR', COMMENTS: '', PROBABILITY: 40, CLOSEDATE: '2024-03-01' },
  contacts: { NAME: 'Ирина', LAST_NAME: "О'Нил", BIRTHDATE: '1984-02-29', OPENED: 'Y', EXPORT: 'N' },
  companies: { TITLE: 'ООО «Ёж»', REVENUE: 0.5, EMPLOYEES: 'EMPLOYEES_1', IS_MY_COMPANY: 'N' },
  leads: { TITLE: 'лид', NAME: '', OPPORTUNITY: 10, UF_CRM_DATETIME_M: [moment, '2024-01-01T00:00:00+00:00'] },
}
const USER_FIELDS = {
  UF_CRM_STRING: 'текст', UF_CRM_INT: 7, UF_CRM_DOUBLE: -0.25, UF_CRM_FLAG: 1, UF_CRM_DATE: '2020-02-29',
  UF_CRM_MONEY: '300.50|EUR', UF_CRM_STRING_M: ['a', 'б', ''], UF_CRM_INT_M: [3, 2, 1],
}

// Classic: what is sent comes back, a null or an empty text clears, unknown fields are nothing.
for (const [entity, { method }] of Object.entries(ENTITIES)) {
  const id = await ask($b24, `${method}.add`, { fields: { ...MADE[entity], ...USER_FIELDS, NO_SUCH: 1 } })
  assert.equal(typeof id, 'number')
  const made = await ask($b24, `${method}.get`, { id })
  assert.deepEqual(made.UF_CRM_INT_M, [3, 2, 1])
  assert.equal(made.UF_CRM_MONEY, '300.50|EUR')
  assert.equal(await ask($b24, `${method}.update`, {
    id, fields: { UF_CRM_STRING: '', UF_CRM_INT: null, UF_CRM_FLAG: 'N', UF_CRM_STRING_M: [], COMMENTS: 'changed' },
    params: { REGISTER_SONET_EVENT: 'N' },
  }), true)
  left[entity] = [await ask($b24, `${method}.get`, { id })]
  assert.equal(left[entity][0].COMMENTS, 'changed')
  assert.ok(['', null, false].includes(left[entity][0].UF_CRM_INT), 'null clears a number')

  const doomed = await ask($b24, `${method}.add`, { fields: { TITLE: 'x', NAME: 'x' } })
  assert.equal(await ask($b24, `${method}.delete`, { id: doomed }), true)
  assert.equal((await refusal($b24, `${method}.get`, { id: doomed })).status, 400)
  assert.equal((await refusal($b24, `${method}.delete`, { id: doomed })).status, 400)
  left[`gone.${entity}`] = doomed
}

// crm.item.*: names of its own, numbers as numbers, a deletion answers with an empty list.
for (const [entity, entityTypeId] of Object.entries(ITEMS)) {
  const person = entity === 'contacts'
  const named = person ? { name: 'Пётр', lastName: 'Иванов' } : { title: `элемент ${entity}` }
  const { item } = await ask($b24, 'crm.item.add', { entityTypeId, fields: { ...named, assignedById: 1 } })
  assert.equal(typeof item.id, 'number')
  const { item: changed } = await ask($b24, 'crm.item.update', {
    entityTypeId, id: item.id, fields: person ? { lastName: 'Петров' } : { title: 'другой' },
  })
  assert.equal(person ? changed.lastName : changed.title, person ? 'Петров' : 'другой')
  assert.deepEqual((await ask($b24, 'crm.item.get', { entityTypeId, id: item.id })).item, changed)
  left[`item.${entity}`] = [changed]
  left[`fields.${entity}`] = (await ask($b24, 'crm.item.fields', { entityTypeId })).fields

  const { item: doomed } = await ask($b24, 'crm.item.add', { entityTypeId, fields: named })
  assert.deepEqual(await ask($b24, 'crm.item.delete', { entityTypeId, id: doomed.id }), [])
  assert.equal((await refusal($b24, 'crm.item.get', { entityTypeId, id: doomed.id })).code, 'NOT_FOUND')
  left[`gone.item.${entity}`] = doomed.id
}

// The smart process with its user fields, and a deal moved to another funnel, which the classic method ignores.
const { item } = await ask($b24, 'crm.item.add', {
  entityTypeId: 156, fields: { title: 'все поля', ufCrm3Digit: 5, ufCrm_3_DIGIT10: 1.5, ufCrm3Flag: 'Y', ufCrm3Sum: '7.5|USD', ufCrm3Day: '2024-02-29' },
})
assert.deepEqual([item.ufCrm3Digit, item.ufCrm_3_DIGIT10, item.ufCrm3Flag], [5, 1.5, 'Y'])
left['item.items'].push(item)
const moved = await ask($b24, 'crm.deal.add', { fields: { TITLE: 'переезжает' } })
const funnels = (await ask($b24, 'crm.category.list', { entityTypeId: 2 })).categories.map((one) => one.id).filter((id) => id > 0)
await ask($b24, 'crm.deal.update', { id: moved, fields: { CATEGORY_ID: funnels[0] } })
assert.equal((await ask($b24, 'crm.deal.get', { id: moved })).CATEGORY_ID, '0')
const { item: there } = await ask($b24, 'crm.item.update', { entityTypeId: 2, id: moved, fields: { categoryId: funnels[0] } })
assert.equal(there.categoryId, funnels[0])
assert.match(there.stageId, new RegExp(`^C${funnels[0]}:`))
left.deals.push(await ask($b24, 'crm.deal.get', { id: moved }))
for (const [name, value] of Object.entries(left)) {
  leave(name, value)
}

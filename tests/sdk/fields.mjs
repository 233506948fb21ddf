// User fields: described in three places, made, filled, changed and deleted.
import assert from 'node:assert/strict'
import { portal, ask, refusal, leave, ENTITIES } from './portal.mjs'

const $b24 = portal()
const TYPES = { string: 'слово', integer: 12, double: 0.5, boolean: 1, date: '2024-02-29', datetime: '2024-02-29T10:00:00+00:00', money: '5|EUR', url: 'https://example.com/?a=1&b=2' }
const left = { made: {}, gone: [] }

for (const [entity, { method, entityTypeId }] of Object.entries(ENTITIES)) {
  const record = await ask($b24, `${method}.add`, { fields: { TITLE: 'с полями', NAME: 'x' } })
  for (const [type, value] of Object.entries(TYPES)) {
    const code = `SDK_${type.toUpperCase()}`
    const id = await ask($b24, `${method}.userfield.add`, { fields: {
      FIELD_NAME: code, USER_TYPE_ID: type, MULTIPLE: 'N', EDIT_FORM_LABEL: { ru: `Поле ${type}`, en: `Field ${type}` },
    } })
    assert.equal(typeof id, 'number')
    await ask($b24, `${method}.update`, { id: record, fields: { [`UF_CRM_${code}`]: value } })
  }
  const described = await ask($b24, `${method}.fields`)
  const listed = await ask($b24, `${method}.userfield.list`, { filter: { LANG: 'ru' }, order: { ID: 'ASC' } })
  const items = (await ask($b24, 'crm.item.fields', { entityTypeId })).fields
  for (const type of Object.keys(TYPES)) {
    const name = `UF_CRM_SDK_${type.toUpperCase()}`
    assert.equal(described[name].type, type)
    assert.equal(described[name].formLabel, `Поле ${type}`)
    const row = listed.find((one) => one.FIELD_NAME === name)
    assert.deepEqual([row.USER_TYPE_ID, row.MULTIPLE, row.EDIT_FORM_LABEL], [type, 'N', `Поле ${type}`])
    assert.ok(Object.values(items).some((one) => one.upperName === name && one.type === type))
  }
  left.made[entity] = [await ask($b24, `${method}.get`, { id: record })]

  // One is deleted: nowhere, and without a value.
  const { ID: doomed } = listed.find((one) => one.FIELD_NAME === 'UF_CRM_SDK_URL')
  assert.equal(await ask($b24, `${method}.userfield.delete`, { id: doomed }), true)
  assert.equal((await refusal($b24, `${method}.userfield.get`, { id: doomed })).code, 'ERROR_NOT_FOUND')
  assert.ok(!('UF_CRM_SDK_URL' in await ask($b24, `${method}.get`, { id: record })))
  delete left.made[entity][0].UF_CRM_SDK_URL
}

// An enumeration: its items have ids, a record has one of them.
const id = await ask($b24, 'crm.deal.userfield.add', { fields: {
  FIELD_NAME: 'SDK_KIND', USER_TYPE_ID: 'enumeration', MULTIPLE: 'Y', LIST: [{ VALUE: 'первый', SORT: 10 }, { VALUE: 'второй', SORT: 20 }],
} })
const field = await ask($b24, 'crm.deal.userfield.get', { id })
assert.deepEqual(field.LIST.map((one) => one.VALUE), ['первый', 'второй'])
const [one, two] = field.LIST.map((item) => item.ID)
assert.deepEqual((await ask($b24, 'crm.deal.fields')).UF_CRM_SDK_KIND.items, [{ ID: one, VALUE: 'первый' }, { ID: two, VALUE: 'второй' }])
const deal = await ask($b24, 'crm.deal.add', { fields: { UF_CRM_SDK_KIND: [one, two] } })
assert.deepEqual((await ask($b24, 'crm.deal.get', { id: deal })).UF_CRM_SDK_KIND, [Number(one), Number(two)])
const found = await ask($b24, 'crm.deal.list', { filter: { UF_CRM_SDK_KIND: two }, select: ['ID'] })
assert.deepEqual(found.map((row) => row.ID), [String(deal)])

assert.equal((await refusal($b24, 'crm.deal.userfield.add', { fields: { FIELD_NAME: 'X'.repeat(60), USER_TYPE_ID: 'string' } })).code, 'ERROR_CORE')
leave('made', left.made)

// Batches: references, partial failures, halting, chunks beyond fifty, keyset chains.
import assert from 'node:assert/strict'
import { portal, ask, leave } from './portal.mjs'

const $b24 = portal()
const batch = (calls, options = {}) => $b24.actions.v2.batch.make({ calls, options: { isHaltOnError: false, ...options } })

const first = await ask($b24, 'crm.deal.list', { select: ['ID', 'CONTACT_ID'], filter: { '>CONTACT_ID': 0 }, order: { ID: 'ASC' } })
const [{ ID: deal, CONTACT_ID: contact }] = first

// One leads to the next, through lists, records and items; a plain number as well.
const chain = await batch({
  deals: { method: 'crm.deal.list', params: { select: ['ID', 'CONTACT_ID'], filter: { '>CONTACT_ID': 0 }, order: { ID: 'ASC' } } },
  contact: { method: 'crm.contact.get', params: { id: '$result[deals][0][CONTACT_ID]' } },
  items: ['crm.item.list', { entityTypeId: 3, filter: { id: '$result[contact][ID]' } }],
  item: ['crm.item.get', { entityTypeId: 3, id: '$result[items][items][0][id]' }],
  made: ['crm.deal.add', { fields: { TITLE: 'of a batch & more', CONTACT_ID: '$result[item][item][id]' } }],
  seen: ['crm.deal.get', { id: '$result[made]' }],
}, { isHaltOnError: true })
assert.ok(chain.isSuccess, chain.getErrorMessages().join('; '))
const done = chain.getData()
assert.equal(done.contact.ID, contact)
assert.equal(done.item.item.id, Number(contact))
assert.equal(done.seen.ID, String(done.made))
assert.equal(done.seen.TITLE, 'of a batch & more')
assert.equal(done.seen.CONTACT_ID, contact)

// Answers whole: totals and next pages of lists stand beside the results.
const whole = await batch([
  ['crm.deal.list', { select: ['ID'] }],
  ['crm.deal.get', { id: deal }],
  ['crm.item.list', { entityTypeId: 3, select: ['id'], start: -1 }],
], { returnAjaxResult: true })
const [list, got, keyset] = whole.getData()
assert.ok(list.isMore() && list.getTotal() > 50 && list.getData().result.length === 50)
assert.equal(got.getData().result.ID, deal)
assert.equal(keyset.getTotal(), 0)
leave('total', list.getTotal())

// Some fail and the rest comes: with a list of commands the answer's map has holes, so that it is an object.
const partial = await batch([
  ['crm.deal.get', { id: deal }],
  ['no.such.method', {}],
  ['crm.item.get', { entityTypeId: 2, id: 999999999 }],
  ['crm.contact.get', { id: contact }],
  ['batch', { cmd: ['profile'] }],
], { returnAjaxResult: true })
assert.ok(!partial.isSuccess)
assert.deepEqual(partial.getData().map((one) => one.isSuccess), [true, false, false, true, false])
assert.deepEqual([...partial.getErrors()].map((error) => error.code),
  ['ERROR_METHOD_NOT_FOUND', 'NOT_FOUND', 'ERROR_BATCH_METHOD_NOT_ALLOWED'])
assert.equal(partial.getData()[3].getData().result.ID, contact)

// An empty code, which classic methods refuse with, is none for this client: a success without a result.
const silent = await batch({ gone: ['crm.deal.get', { id: 999999999 }] }, { returnAjaxResult: true })
assert.ok(silent.isSuccess)
assert.equal(silent.getData().gone.getData().result, undefined)

// Halted at the first failure: what comes after it is nowhere.
const halted = await batch({
  a: ['crm.deal.get', { id: deal }], b: ['no.such.method', {}], c: ['crm.deal.get', { id: deal }],
}, { isHaltOnError: true, returnAjaxResult: true })
assert.deepEqual(Object.keys(halted.getData()), ['a', 'b'])
assert.equal(halted.getData().b.isSuccess, false)

// More than fifty: the client refuses to ask at all, or asks in pieces.
await assert.rejects(batch(Array.from({ length: 51 }, () => ['profile', {}])), { code: 'JSSDK_BATCH_TOO_LARGE' })
const ids = (await $b24.actions.v2.callList.make({ method: 'crm.deal.list', params: { select: ['ID'] } })).getData()
  .slice(0, 120).map((row) => row.ID)
const chunks = await $b24.actions.v2.batchByChunk.make({ calls: ids.map((id) => ['crm.deal.get', { id }]) })
assert.ok(chunks.isSuccess)
assert.deepEqual(chunks.getData().map((row) => row.ID), ids)

// Pages by id, each from the last of the one before (the vendor's way to read much at once).
const pages = {}
for (let n = 0; n < 10; n++) {
  const after = n === 0 ? 0 : `$result[p${n - 1}][49][ID]`
  pages[`p${n}`] = ['crm.deal.list', { select: ['*', 'UF_*'], filter: { '>ID': after }, order: { ID: 'ASC' }, start: -1 }]
}
const read = await batch(pages, { isHaltOnError: true })
leave('chain', Object.values(read.getData()).flat().map((row) => Number(row.ID)))

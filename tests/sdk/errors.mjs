// Refusals as the vendor's client tells of them, and what it makes of answers that are none.
import assert from 'node:assert/strict'
import { B24Hook } from '@bitrix24/b24jssdk'
import { portal, ask, refusal, admin, restrictions } from './portal.mjs'

const $b24 = portal()
const WHOLE = 'ERR_BAD_REQUEST'     // this client's own word for a 4xx whose code is empty

const REFUSALS = [
  ['crm.deal.get', { id: 999999999 }, 400, WHOLE],
  ['crm.deal.get', {}, 400, WHOLE],
  ['crm.deal.update', { id: 1, fields: 5 }, 400, WHOLE],
  ['crm.item.get', { entityTypeId: 2, id: 999999999 }, 400, 'NOT_FOUND'],
  ['crm.item.list', { entityTypeId: 999 }, 400, 'NOT_FOUND'],
  ['crm.item.list', {}, 400, '100', 'Could not find value for parameter {entityTypeId}'],
  ['crm.item.list', { entityTypeId: 2, filter: { noSuchField: 1 } }, 400, 'INVALID_ARG_VALUE', 'noSuchField'],
  ['crm.item.list', { entityTypeId: 2, order: { id: 'SIDEWAYS' } }, 400, 'INVALID_ARG_VALUE', 'SIDEWAYS'],
  ['crm.item.update', { entityTypeId: 2, id: 'first', fields: { assignedById: 'abc' } }, 400, 'CRM_FIELD_ERROR_VALUE_NOT_VALID'],
  ['no.such.method', {}, 404, 'ERROR_METHOD_NOT_FOUND', 'Method not found!'],
  ['app.info', {}, 400, 'ACCESS_DENIED'],
  ['event.bind', { event: 'ONCRMDEALADD', handler: 'https://example.com/' }, 403, 'WRONG_AUTH_TYPE'],
]
const [{ ID: first }] = await ask($b24, 'crm.deal.list', { select: ['ID'] })
for (const [method, params, status, code, words] of REFUSALS) {
  const got = await refusal($b24, method, params.id === 'first' ? { ...params, id: first } : params)
  assert.deepEqual([method, got.status, got.code], [method, status, code])
  assert.ok(!words || got.message.includes(words), `${method}: ${got.message}`)
}

// Another secret, another user: the credentials are wrong.
const url = new URL(process.env.WEBHOOK)
const [, , user, secret] = url.pathname.split('/')
for (const [id, word] of [[Number(user), 'wrong0wrong1wrong'], [99, secret]]) {
  const stranger = new B24Hook({ b24Url: url.origin, userId: id, secret: word }, { restrictionParams: restrictions() })
  assert.deepEqual(await refusal(stranger, 'profile'), {
    code: 'INVALID_CREDENTIALS', status: 401, message: 'Invalid request credentials',
  })
}

// No right to a record, no right to a whole scope.
await admin(`hide?entity=deals&id=${first}`)
assert.deepEqual(await refusal($b24, 'crm.deal.get', { id: first }), {
  code: WHOLE, status: 400, message: 'Request failed with status code 400',
})
assert.equal((await refusal($b24, 'crm.item.get', { entityTypeId: 2, id: first })).code, 'ACCESS_DENIED')
await admin('scope?allow=user')
assert.equal((await refusal($b24, 'crm.deal.list')).code, 'insufficient_scope')
const denied = await $b24.actions.v2.batch.make({ calls: { a: ['crm.deal.list', {}], b: ['profile', {}] }, options: { isHaltOnError: false, returnAjaxResult: true } })
assert.equal(denied.getData().a.isSuccess, false)
assert.equal(denied.getData().b.isSuccess, true)
await admin('scope?allow=crm,user')

// What goes away by itself: the client asks again and is answered. What does not, it tells.
for (const kind of ['html502', 'html504', 'html500', 'reset', 'truncated']) {
  await admin(`fault?kind=${kind}&times=1&method=profile`)
  assert.equal((await ask($b24, 'profile')).ID, '1', kind)
}
for (const [kind, code] of [['auth401', 'INVALID_CREDENTIALS'], ['scope401', 'insufficient_scope'], ['general400', WHOLE]]) {
  await admin(`fault?kind=${kind}&times=1&method=profile`)
  assert.equal((await refusal($b24, 'profile')).code, code, kind)
  assert.equal((await ask($b24, 'profile')).ID, '1', `${kind} was asked once`)
}
// Without a patience of its own it gives up at a page of HTML.
const hasty = portal({ maxRetries: 1 })
await admin('fault?kind=html502&times=1&method=profile')
assert.equal((await refusal(hasty, 'profile')).status, 502)

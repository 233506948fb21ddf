// An application by the client's OAuth class: an expired token is refreshed, once for all who ask; a spent pair is told of.
import assert from 'node:assert/strict'
import { B24OAuth, LoadDataType, useB24Helper } from '@bitrix24/b24jssdk'
import { ask, refusal, admin, leave, restrictions } from './portal.mjs'

const app = JSON.parse(process.env.APPLICATION)
const secret = { clientId: app.client_id, clientSecret: app.client_secret }

function application(changed = {}) {
  const $b24 = new B24OAuth({
    applicationToken: app.application_token, userId: 1, memberId: app.member_id, status: 'L', scope: 'crm,user',
    accessToken: app.access_token, refreshToken: app.refresh_token, expires: Math.floor(Date.now() / 1000) + 3600, expiresIn: 3600,
    domain: app.address, clientEndpoint: `https://${app.address}/rest/`, serverEndpoint: `https://${app.oauth_address}/rest/`,
    ...changed,
  }, secret, { restrictionParams: restrictions() })
  $b24.offClientSideWarning()
  return $b24
}

const $b24 = application()
const refreshed = []
$b24.setCallbackRefreshAuth(async ({ authData }) => refreshed.push(authData))

// What the client loads at its start, and its own ping.
assert.equal(await $b24.tools.healthCheck.make(), true)
assert.ok(await $b24.tools.ping.make() >= 0)
assert.equal(await ask($b24, 'app.option.set', { options: { colour: 'red', 'рубли': '[1,2]' } }), true)
assert.equal(await ask($b24, 'user.option.set', { options: { colour: 'blue' } }), true)
const helper = await useB24Helper().initB24Helper($b24, Object.values(LoadDataType))
assert.equal(helper.appOptions.getString('colour'), 'red')
assert.deepEqual(helper.appOptions.getJsonArray('рубли'), [1, 2])
assert.equal(helper.userOptions.getString('colour'), 'blue')
assert.deepEqual([helper.currency.baseCurrency, helper.currency.currencyList.length], ['RUB', 6])
assert.equal(helper.currency.format(1234567.5, 'EUR', 'ru'), '1,234,567.50 EUR')     // by its variant C
assert.equal(helper.licenseInfo.data.licensePrevious, undefined)
assert.deepEqual({ ...helper.appInfo.data, statusCode: undefined }, { id: 1, code: app.client_id, version: 1, status: 'L', isInstalled: true, statusCode: undefined })
assert.equal(helper.paymentInfo.data.isExpired, false)
assert.equal(helper.licenseInfo.data.languageId, 'ru')
assert.deepEqual([helper.profileInfo.data.id, helper.profileInfo.data.isAdmin], [1, true])
await $b24.setRestrictionManagerParams(restrictions())      // by the licence it has given itself the usual limit
await $b24.initIsAdmin()
assert.equal($b24.auth.isAdmin, true)
const list = await $b24.actions.v2.callList.make({ method: 'crm.deal.list', params: { select: ['ID'] } })
leave('ids', list.getData().map((row) => Number(row.ID)))

// The portal says that the token is over: everybody who asks waits for one new pair.
// All are refused before it is there: who is refused later makes the vendor's client ask for another one.
await admin('app/expire?what=access')
await admin('fault?kind=latency&times=1&ms=3000&method=oauth.token')
const titles = await Promise.all(Array.from({ length: 8 }, () => ask($b24, 'crm.deal.list', { select: ['ID'], start: -1 })))
assert.ok(titles.every((rows) => rows.length === 50))
assert.equal(refreshed.length, 1)
assert.notEqual(refreshed[0].access_token, app.access_token)
assert.ok(refreshed[0].expires > Date.now() / 1000)
assert.equal(refreshed[0].member_id, app.member_id)

// The client knows itself that the token is over: it refreshes before it asks.
const late = application({
  accessToken: refreshed[0].access_token, refreshToken: refreshed[0].refresh_token, expires: 1,
})
late.setCallbackRefreshAuth(async ({ authData }) => refreshed.push(authData))
await ask(late, 'profile')
assert.equal(refreshed.length, 2)

// Spent refresh tokens, and an application that is gone.
const spent = application({ expires: 1 })
await assert.rejects(spent.auth.refreshAuth(), { name: 'SdkError', code: 'invalid_grant', status: 400 })
assert.match((await refusal(spent, 'profile')).message, /refresh token is invalid/)
const [, newest] = refreshed
const live = application({ accessToken: newest.access_token, refreshToken: newest.refresh_token })
await admin('app/state?name=unpaid')
assert.deepEqual([(await refusal(live, 'profile')).status, (await refusal(live, 'profile')).code], [401, 'PAYMENT_REQUIRED'])
await admin('app/state?name=installed')
assert.equal((await ask(live, 'profile')).ID, '1')
leave('refreshed', refreshed.length)

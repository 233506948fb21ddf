// The limit of requests: the client's own bucket keeps to the portal's, and a refusal is waited out.
import assert from 'node:assert/strict'
import { ParamsFactory } from '@bitrix24/b24jssdk'
import { portal, ask, leave } from './portal.mjs'

const [rate, burst] = process.env.TARIFF.split('/').map(Number)
const kept = { ...ParamsFactory.getDefault(), rateLimit: { drainRate: rate, burstLimit: burst, adaptiveEnabled: false } }
const MANY = Number(process.env.MANY)

async function all($b24, many) {
  const answers = await Promise.all(Array.from({ length: many }, () => ask($b24, 'profile')))
  assert.ok(answers.every((one) => one.ID === '1'))
}

if (process.env.PACED === '1') {
  await all(portal(kept), MANY)
} else {                                // without a pace: refused, and asked again a second later
  const $b24 = portal({ maxRetries: 8 })
  await all($b24, MANY)
  leave('retries', $b24.getHttpClient('v2').getStats().retries)
}

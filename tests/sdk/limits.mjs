// The limit of requests: the client's own bucket keeps to the portal's, and a refusal is waited out.
import assert from 'node:assert/strict'
import { ParamsFactory } from '@bitrix24/b24jssdk'
import { portal, ask, leave } from './portal.mjs'

const [rate, burst] = process.env.TARIFF.split('/').map(Number)
const kept = { ...ParamsFactory.getDefault(), rateLimit: { drainRate: rate, burstLimit: burst, adaptiveEnabled: false } }
const MANY = Number(process.env.MANY)

if (process.env.PACED === '1') {        // one after another, so that a slow machine does not send several at once
  const $b24 = portal(kept)
  for (let n = 0; n < MANY; n++) {
    assert.equal((await ask($b24, 'profile')).ID, '1')
  }
} else {                                // without a pace: refused, and asked again a second later
  const $b24 = portal({ maxRetries: 8 })
  const answers = await Promise.all(Array.from({ length: MANY }, () => ask($b24, 'profile')))
  assert.ok(answers.every((one) => one.ID === '1'))
  leave('retries', $b24.getHttpClient('v2').getStats().retries)
}

// The sandbox as the vendor's client asks it, and where a scenario leaves what it read for the judge.
import { writeFileSync } from 'node:fs'
import { B24Hook, ParamsFactory } from '@bitrix24/b24jssdk'

export const ENTITIES = {
  deals: { method: 'crm.deal', entityTypeId: 2 },
  contacts: { method: 'crm.contact', entityTypeId: 3, multifields: true },
  companies: { method: 'crm.company', entityTypeId: 4, multifields: true },
  leads: { method: 'crm.lead', entityTypeId: 1, multifields: true },
}
export const ITEMS = {
  ...Object.fromEntries(Object.entries(ENTITIES).map(([name, of]) => [name, of.entityTypeId])),
  quotes: 7, invoices: 31, items: 156,
}

// The portal of these scenarios has no limit of requests, so its client needs none; limits.mjs gives its own.
export function restrictions(changed = {}) {
  return {
    ...ParamsFactory.getDefault(),
    rateLimit: { burstLimit: 100000, drainRate: 10000, adaptiveEnabled: false },
    retryDelay: 10,
    ...changed,
  }
}

export function portal(changed) {
  const $b24 = B24Hook.fromWebhookUrl(process.env.WEBHOOK, { restrictionParams: restrictions(changed) })
  $b24.offClientSideWarning()
  return $b24
}

// The result of a call that must succeed; the answer itself with whole = true.
export async function ask($b24, method, params = {}, whole = false) {
  const answer = await $b24.actions.v2.call.make({ method, params })
  if (!answer.isSuccess) {
    throw new Error(`${method}: ${answer.getErrorMessages().join('; ')}`)
  }
  return whole ? answer : answer.getData().result
}

// What a call is refused with: { code, status, message }, whether the client throws it or returns it.
export async function refusal($b24, method, params = {}) {
  try {
    const answer = await $b24.actions.v2.call.make({ method, params })
    if (answer.isSuccess) {
      throw new Error(`${method} was not refused`)
    }
    const [error] = answer.getErrors()
    return { code: error.code, status: error.status, message: error.message }
  } catch (error) {
    if (error.name !== 'AjaxError') {
      throw error
    }
    return { code: error.code, status: error.status, message: error.message }
  }
}

// An admin route of the sandbox, which is none of the portal's.
export async function admin(path, body = {}) {
  const answer = await fetch(`${process.env.ADMIN}/${path}`, { method: 'POST', body: JSON.stringify(body) })
  if (answer.status !== 200) {
    throw new Error(`${path}: ${answer.status}`)
  }
}

export function leave(name, value) {
  writeFileSync(`${process.env.OUT}/${name}.json`, JSON.stringify(value))
}

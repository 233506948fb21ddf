// Lists of other methods by the client's own helpers, each with its own paging, wrapping and names of ids.
import assert from 'node:assert/strict'
import { portal, ask } from './portal.mjs'

const $b24 = portal()

// By pages, as many as there are: [rows, how many of them differ].
async function paged(method, params, wrapper) {
  const rows = []
  let page = await ask($b24, method, params, true)
  const total = page.getTotal()
  while (page) {
    const { result } = page.getData()
    rows.push(...(wrapper ? result[wrapper] : result))
    page = await page.getNext($b24.getHttpClient('v2'))
  }
  return { rows, total }
}

// By ids, each piece after the last id of the one before; false when it does not end.
async function walked(method, params, of, most = 100) {
  const rows = []
  for await (const piece of $b24.actions.v2.fetchList.make({ method, params, ...of })) {
    rows.push(...piece)
    if (--most === 0) {
      return false
    }
  }
  return rows
}

const tasks = { idKey: 'id', cursorIdKey: 'ID', customKeyForResult: 'tasks' }
const LISTS = [
  ['tasks.task.list', { order: { ID: 'asc' } }, tasks],
  ['user.get', { sort: 'ID', order: 'ASC' }, {}],
  ['department.get', { sort: 'ID', order: 'ASC' }, {}],
  ['crm.activity.list', { order: { ID: 'ASC' } }, {}],
  ['crm.stagehistory.list', { entityTypeId: 2, order: { ID: 'ASC' } }, { customKeyForResult: 'items' }],
  ['crm.requisite.list', { order: { ID: 'ASC' } }, {}],
  ['voximplant.statistic.get', { SORT: 'ID', ORDER: 'ASC' }, {}],
  ['crm.type.list', {}, { idKey: 'id', customKeyForResult: 'types' }],
]
for (const [method, params, of] of LISTS) {
  const id = of.idKey ?? 'ID'
  const { rows, total } = await paged(method, params, of.customKeyForResult)
  const ids = rows.map((row) => Number(row[id]))
  assert.ok(rows.length > 0, method)
  assert.equal(rows.length, total, method)
  assert.deepEqual(ids, [...ids].sort((a, b) => a - b), `${method}: in order`)
  assert.equal(new Set(ids).size, ids.length, `${method}: none twice`)
  const { entityTypeId } = params
  const again = await walked(method, entityTypeId ? { entityTypeId } : {}, of)
  assert.deepEqual(again.map((row) => Number(row[id])), ids, `${method}: by ids`)
}

// A cursor in small letters is ignored: the first page for ever (measured on a portal: b24jssdk#113).
assert.equal(await walked('tasks.task.list', {}, { idKey: 'id', customKeyForResult: 'tasks' }, 5), false)

// Methods that give all at once, whatever is asked.
for (const [method, total] of [['crm.status.list', true], ['crm.currency.list', false], ['crm.dealcategory.list', true], ['crm.deal.userfield.list', true]]) {
  const page = await ask($b24, method, {}, true)
  assert.ok(page.getData().result.length > 0 && !page.isMore(), method)
  assert.equal(page.getTotal(), total ? page.getData().result.length : 0, method)
}

// Arguments by place: the query of these must hold nothing else, which this client knows.
const [{ id: task }] = (await ask($b24, 'tasks.task.list', { order: { ID: 'asc' }, select: ['ID'] })).tasks
assert.ok(Array.isArray(await ask($b24, 'task.commentitem.getlist', [task])))
assert.ok(Array.isArray(await ask($b24, 'task.elapseditem.getlist', { TASKID: task })))

// Who is linked to whom: the whole set, the primary one first.
const [{ ID: deal }] = await ask($b24, 'crm.deal.list', { select: ['ID'], order: { ID: 'ASC' } })
const contacts = (await ask($b24, 'crm.contact.list', { select: ['ID'], order: { ID: 'ASC' } })).slice(0, 3).map((row) => Number(row.ID))
assert.equal(await ask($b24, 'crm.deal.contact.items.set', { id: deal, items: contacts.map((id) => ({ CONTACT_ID: id })) }), true)
const linked = await ask($b24, 'crm.deal.contact.items.get', { id: deal })
assert.deepEqual(linked.map((one) => [one.CONTACT_ID, one.SORT, one.IS_PRIMARY]),
  [[contacts[0], 10, 'Y'], [contacts[1], 20, 'N'], [contacts[2], 30, 'N']])
assert.equal((await ask($b24, 'crm.deal.get', { id: deal })).CONTACT_ID, String(contacts[0]))
assert.deepEqual((await ask($b24, 'crm.item.get', { entityTypeId: 2, id: deal })).item.contactIds, contacts)

// REST 3.0, whose addresses, filters, batches and refusals are others. The client of Node 18 does not ask for tasks there.
if ($b24.actions.v3.fetchTail) {
  const every = []
  for await (const piece of $b24.actions.v3.fetchList.make({
    method: 'tasks.task.list', params: { select: ['id', 'title'] }, customKeyForResult: 'items', idKey: 'id', limit: 100,
  })) {
    every.push(...piece)
  }
  const { rows: tasksOfOld } = await paged('tasks.task.list', { order: { ID: 'asc' } }, 'tasks')
  assert.deepEqual(every.map((row) => [String(row.id), row.title]), tasksOfOld.map((row) => [row.id, row.title]))
  const one = await $b24.actions.v3.call.make({ method: 'tasks.task.get', params: { id: Number(task), select: ['id', 'responsible.email'] } })
  assert.deepEqual(one.getData().result, { item: { id: Number(task), responsible: { email: 'mail@example.ru' } } })
  const both = await $b24.actions.v3.batch.make({
    calls: every.slice(0, 2).map(({ id }) => ['tasks.task.get', { id, select: ['id'] }]), options: { returnAjaxResult: false },
  })
  assert.equal(both.getErrorMessages().join(), '')
  assert.deepEqual(both.getData().map(({ item }) => item.id), every.slice(0, 2).map(({ id }) => id))
  const missing = await $b24.actions.v3.call.make({ method: 'tasks.task.get', params: { id: 99999 } })
  assert.equal(missing.isSuccess, false)
  assert.match(missing.getErrorMessages().join(), /Record with ID = `99999` not found/)
}

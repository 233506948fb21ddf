// Lists of crm.item.*: every type whole, filters with logic, fields by their names.
import { portal, ask, leave, ITEMS } from './portal.mjs'

const $b24 = portal()
const list = (entityTypeId, params = {}) => $b24.actions.v2.callList.make({
  method: 'crm.item.list', params: { entityTypeId, ...params }, idKey: 'id', customKeyForResult: 'items',
})

for (const [entity, entityTypeId] of Object.entries(ITEMS)) {
  leave(`whole.${entity}`, (await list(entityTypeId, { select: ['*'] })).getData())
  leave(`fields.${entity}`, (await ask($b24, 'crm.item.fields', { entityTypeId })).fields)
}
const types = await ask($b24, 'crm.type.list')
leave('types', types.types.map((type) => type.entityTypeId))

const FILTERS = {
  young: { '>=createdTime': '2024-01-01T00:00:00+00:00' },
  rich: { '>opportunity': 1000000.5 },
  stages: { '@stageId': ['NEW', 'PREPARATION'] },
  not_stages: { '!@stageId': ['NEW', 'PREPARATION'] },
  named: { '%title': 'Поставка' },
  not_named: { '!%title': 'Поставка' },
  either: { 0: { logic: 'OR', 0: { '>opportunity': 3000000 }, 1: { '%title': 'Поставка' } } },
  either_and: {
    0: { logic: 'OR', 0: { '>opportunity': 3000000 }, 1: { logic: 'AND', 0: { '%title': 'Поставка' }, 1: { categoryId: 0 } } },
    '!stageId': 'NEW',
  },
  flagged: { ufCrm_FLAG: 1 },
  of_contacts: { '@contactId': [6, 8, 10, 12] },
}
const filtered = {}
for (const [name, filter] of Object.entries(FILTERS)) {
  filtered[name] = (await list(2, { select: ['id'], filter })).getData().map((row) => row.id)
}
leave('filtered', filtered)

const fetched = []
const generator = $b24.actions.v2.fetchList.make({
  method: 'crm.item.list', params: { entityTypeId: 3, select: ['id', 'lastName'] }, idKey: 'id', customKeyForResult: 'items',
})
for await (const piece of generator) {
  fetched.push(...piece.map((row) => row.id))
}
leave('fetched', fetched)

const params = { entityTypeId: 2, select: ['id', 'opportunity'], order: { opportunity: 'DESC', id: 'ASC' } }
const pages = { sums: [], totals: [] }
let page = await ask($b24, 'crm.item.list', params, true)
while (page) {
  pages.sums.push(...page.getData().result.items.map((row) => row.opportunity))
  pages.totals.push(page.getTotal())
  page = await page.getNext($b24.getHttpClient('v2'))
}
leave('pages', pages)

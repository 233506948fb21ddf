// Lists of classic methods: whole, by filters, by pages and in order.
import { portal, ask, leave, ENTITIES } from './portal.mjs'

const $b24 = portal()
const MULTIFIELDS = ['PHONE', 'EMAIL', 'WEB', 'IM', 'LINK']

// Everything there is: masks leave out multiple user fields and multifields, so these are named.
for (const [entity, { method, multifields }] of Object.entries(ENTITIES)) {
  const fields = await ask($b24, `${method}.fields`)
  const multiple = Object.keys(fields).filter((name) => fields[name].isDynamic && fields[name].isMultiple)
  const select = ['*', 'UF_*', ...multiple, ...(multifields ? MULTIFIELDS : [])]
  const list = await $b24.actions.v2.callList.make({ method: `${method}.list`, params: { select } })
  leave(`whole.${entity}`, list.getData())
  leave(`fields.${entity}`, fields)
}

// The same in pieces, none of them above fifty.
const fetched = []
const pieces = []
for await (const piece of $b24.actions.v2.fetchList.make({ method: 'crm.contact.list', params: { select: ['ID'] } })) {
  pieces.push(piece.length)
  fetched.push(...piece.map((row) => Number(row.ID)))
}
leave('fetched', { pieces, ids: fetched })

const FILTERS = {
  rich: { '>=OPPORTUNITY': 1000000 },
  span: { '>OPPORTUNITY': '1000', '<=OPPORTUNITY': '500000.50' },
  young: { '>=DATE_CREATE': '2024-01-01T00:00:00+00:00' },
  stages: { STAGE_ID: ['NEW', 'PREPARATION'] },
  among: { '@CATEGORY_ID': [0] },
  not_among: { '!@CATEGORY_ID': [0] },
  other_funnels: { '!CATEGORY_ID': 0 },
  named: { '%TITLE': 'Поставка' },
  named_so: { '=%TITLE': 'Поставка%' },
  both: { '%TITLE': 'Поставка', '>=OPPORTUNITY': 1000000 },
  flagged: { UF_CRM_FLAG: 1 },
  none: { '>ID': 1, ID: -1 },
  unknown: { NO_SUCH_FIELD: 5 },
}
const filtered = {}
for (const [name, filter] of Object.entries(FILTERS)) {
  const list = await $b24.actions.v2.callList.make({ method: 'crm.deal.list', params: { select: ['ID'], filter } })
  filtered[name] = list.getData().map((row) => Number(row.ID))
}
leave('filtered', filtered)

// Pages by offset: total on each of them, next on all but the last.
const pages = { ids: [], sums: [], totals: [], more: [] }
const params = { select: ['ID', 'OPPORTUNITY'], filter: { '>OPPORTUNITY': 0 }, order: { OPPORTUNITY: 'DESC', ID: 'ASC' } }
let page = await ask($b24, 'crm.deal.list', params, true)
while (page) {
  const rows = page.getData().result
  pages.ids.push(...rows.map((row) => Number(row.ID)))
  pages.sums.push(...rows.map((row) => row.OPPORTUNITY))
  pages.totals.push(page.getTotal())
  pages.more.push(page.isMore())
  page = await page.getNext($b24.getHttpClient('v2'))
}
leave('pages', pages)

/** Reports of conformance that a driver publishes: as data, as a page, as a badge, as a line of a table. */
export { formatBadge } from './badge.ts'
export { formatPage } from './page.ts'
export { type CaseResult, type ConformanceResults, runConformance, type Subject, type Versioned } from './results.ts'
export { formatSupportTable } from './support-table.ts'

/** The pages that `oslo-msg simulate --html` writes, in parts: for other reports that are to look like them. */
export { escape } from '../text/escape.ts'
export { card, document, type DocumentParts, table } from './document.ts'
export { type Line, plot, type PlotOptions } from './plot.ts'

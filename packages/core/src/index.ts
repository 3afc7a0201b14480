export { Target, type TargetFields } from './target.ts'

import { describeSecurity } from './suites/security.ts'

await describeSecurity('4.4')

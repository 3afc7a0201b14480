import { describeSecurity } from './suites/security.ts'

await describeSecurity('3.9')

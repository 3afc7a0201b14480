#!/usr/bin/env node
import { run } from './run.ts'
import { runAsProcess } from './process.ts'

await runAsProcess(run)

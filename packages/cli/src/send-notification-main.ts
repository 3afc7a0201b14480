#!/usr/bin/env node
import { runAsProcess } from './process.ts'
import { sendNotification } from './send-notification.ts'

await runAsProcess(sendNotification)

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { osloMsgIn } from './support/program.ts'

it('oslo-msg runs no driver that lies in the folder it is started from', async () => {
  const working = await mkdtemp(join(tmpdir(), 'oslo-msg-'))
  try {
    const planted = join(working, 'node_modules', '@oslo-messaging', 'rabbit')
    await mkdir(planted, { recursive: true })
    await writeFile(join(planted, 'package.json'), '{"type":"module","exports":"./i.js"}')
    await writeFile(join(planted, 'i.js'), "process.stderr.write('planted code ran')")
    const ended = await osloMsgIn(working, 'rabbit://guest:secret@127.0.0.1:1/', 'queues', '--timeout', '5')
    expect(ended.stderr).not.toContain('planted code ran')
    // The driver beside the program was asked, which finds nobody at that port.
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('127.0.0.1') })
  } finally {
    await rm(working, { recursive: true })
  }
}, 60_000)

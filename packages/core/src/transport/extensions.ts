import { pathToFileURL } from 'node:url'
import type { MessagingConfig } from '../config/messaging-config.ts'
import { ConfigurationError } from '../errors.ts'
import { findPackage, packageEntry } from '../registry/find-package.ts'
import { applicationFolders } from '../registry/driver-registry.ts'
import { errorText } from '../util/text.ts'
import { busOf } from './bus.ts'
import type { Transport } from './transport.ts'

/** Options of oslo's that packages of their own make true, so that nobody else installs what they need. */
const EXTENSIONS = [
  {
    option: '[oslo_messaging_metrics] metrics_enabled',
    name: '@oslo-messaging/oslo-metrics',
    isWanted: (conf: MessagingConfig) => conf.get('oslo_messaging_metrics', 'metrics_enabled'),
  },
  {
    option: '[oslo_messaging_tracing] tracing_enabled',
    name: '@oslo-messaging/opentelemetry',
    isWanted: (conf: MessagingConfig) => conf.get('oslo_messaging_tracing', 'tracing_enabled'),
  },
]

/** What such a package exports. */
interface ExtensionModule {
  /** Adds what it has to a transport; the function it gives is called when the transport has closed. */
  extendTransport(transport: Transport): Promise<() => Promise<void>>
}

/** Adds to a transport of RPC what its configuration asks for. Rejects with ConfigurationError that names the package
 *  to install; the transport is closed then. */
export async function extendAsConfigured(transport: Transport): Promise<void> {
  try {
    for (const { option, name, isWanted } of EXTENSIONS) {
      if (!isWanted(transport.conf)) continue
      const extension = await load(name, option)
      busOf(transport).onClosed(await extension.extendTransport(transport))
    }
  } catch (error) {
    await transport.close()
    throw error
  }
}

/** Looked for where drivers are: a package of the application, not one of core. */
async function load(name: string, option: string): Promise<ExtensionModule> {
  const found = findPackage(name, applicationFolders())
  const entry = found && packageEntry(found)
  if (entry === undefined)
    throw new ConfigurationError(`${option} needs a package that is not installed: npm install ${name}`, { option })
  try {
    return (await import(pathToFileURL(entry).href)) as ExtensionModule
  } catch (cause) {
    throw new ConfigurationError(`${option} needs ${name}, which cannot be loaded: ${errorText(cause)}`, {
      option,
      cause,
    })
  }
}

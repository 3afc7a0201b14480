/** What the library writes to. `fields` never hold secrets or message bodies. pino and console fit as they are, the latter through a wrapper. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

const ignore = (): void => {}

/** The default: a library prints nothing that the application did not ask for. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

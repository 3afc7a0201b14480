import { readdirSync, readFileSync } from 'node:fs'

const FOLDER = new URL('corpus/', import.meta.url)

/** The inputs that mutation begins with, by parser; one file each. */
export function corpusOf(parser: string): readonly Buffer[] {
  const folder = new URL(`${parser}/`, FOLDER)
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(new URL(name, folder)))
}

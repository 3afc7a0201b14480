import { fileURLToPath } from 'node:url'

/** Path of a file in `brokers/recipes`; the same from `src` and from `dist`. */
export function recipe(name: string): string {
  return fileURLToPath(new URL(`../recipes/${name}`, import.meta.url))
}

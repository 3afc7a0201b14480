import { fold } from '../text/table.ts'
import { typeText, valueText } from './effective.ts'
import type { KnownGroup } from './groups.ts'

/** A service.conf with every option in it, each commented out with its default, so that it changes nothing. */
export function sampleText(groups: readonly KnownGroup[]): string {
  return groups
    .map(({ fragment: { group, options } }) => {
      const entries = Object.entries(options).map(([name, definition]) => {
        const { doc, deprecated, default: usual } = definition
        const lines = [
          fold(doc, 100, '# '),
          fold(`(${typeText(definition)})`, 100, '# '),
          ...(deprecated === undefined ? [] : [fold(`Deprecated: ${deprecated}`, 100, '# ')]),
          `#${name} =${usual === null ? ' <unset>' : ` ${valueText(usual)}`}`.trimEnd(),
        ]
        return lines.join('\n')
      })
      return `[${group}]\n\n${entries.join('\n\n')}\n`
    })
    .join('\n')
}

/** JSON schema of a YAML or JSON configuration file. Groups and options of others are allowed in [DEFAULT] and beside
 *  our groups. */
export function jsonSchema(groups: readonly KnownGroup[]): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of oslo.messaging',
    type: 'object',
    properties: Object.fromEntries(
      groups.map(({ fragment: { group, options } }) => [
        group,
        {
          type: 'object',
          additionalProperties: group === 'DEFAULT',
          properties: Object.fromEntries(
            Object.entries(options).map(([name, definition]) => [name, optionSchema(definition)]),
          ),
        },
      ]),
    ),
  }
}

function optionSchema(definition: KnownGroup['fragment']['options'][string]): object {
  const { type, doc, default: usual, min, max, choices, deprecated } = definition
  return {
    description: doc,
    ...shapeOf(type),
    ...(usual === null ? {} : { default: usual }),
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
    ...(choices === undefined ? {} : { enum: choices }),
    ...(deprecated === undefined ? {} : { deprecated: true }),
  }
}

function shapeOf(type: KnownGroup['fragment']['options'][string]['type']): object {
  switch (type) {
    case 'float':
      return { type: 'number' }
    case 'list':
    case 'multi':
      return { type: ['array', 'string'], items: { type: 'string' } }
    case 'dict':
      return { type: ['object', 'string'], additionalProperties: { type: 'string' } }
    default:
      return { type }
  }
}

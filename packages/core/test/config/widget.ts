import type { ConfigFragment } from '../../src/driver.ts'

/** One option of each type, as a driver might have them. */
export const widgetConfig = {
  group: 'oslo_messaging_widget',
  options: {
    text: { type: 'string', default: 'x', doc: 'A text.' },
    mode: { type: 'string', default: 'slow', choices: ['slow', 'fast'], doc: 'A choice.' },
    count: { type: 'integer', default: 1, min: 0, max: 10, doc: 'A number.' },
    ratio: { type: 'float', default: 0.5, min: 0, doc: 'A ratio.' },
    flag: {
      type: 'boolean',
      default: false,
      doc: 'A flag.',
      deprecatedNames: [{ name: 'old_flag' }, { group: 'DEFAULT', name: 'widget_flag' }],
    },
    names: { type: 'list', default: ['a'], doc: 'A list.' },
    several: { type: 'multi', default: [], doc: 'Repeated.' },
    pairs: { type: 'dict', default: null, doc: 'Pairs.' },
    limit: { type: 'integer', default: null, doc: 'A number or nothing.' },
    password: { type: 'string', default: null, secret: true, doc: 'A secret.' },
    rusty: { type: 'boolean', default: false, deprecated: 'use flag', doc: 'On its way out.' },
  },
  removed: { ancient_count: 'count it yourself' },
} as const satisfies ConfigFragment

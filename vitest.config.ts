import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

// Tests run from the sources: the condition picks `src` where a published package has `dist`.
const conditions = ['@oslo-messaging/source']
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
}

/** One RabbitMQ and one Kafka for all test files of a run, started when the first of them asks. */
const sharedBrokers = ['brokers/src/vitest-setup.ts']

/** One project per kind of test. `unit` needs nothing; `broker` talks to real brokers; the rest have their own
 *  commands. */
const project = (
  name: string,
  include: string[],
  timeoutMs: number,
  globalSetup: string[] = [],
): TestProjectInlineConfiguration => ({
  ...shared,
  test: {
    name,
    include,
    globalSetup,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    server: { deps: { inline: [/@oslo-messaging\//] } },
  },
})

export default defineConfig({
  test: {
    projects: [
      project(
        'unit',
        [
          '{packages,examples}/*/test/**/*.test.ts',
          '{brokers,interop,bench,certify}/test/**/*.test.ts',
          'interop/{golden,live}/**/*.test.ts',
        ],
        20_000,
      ),
      project(
        'broker',
        [
          '{packages,examples}/*/test/**/*.broker-test.ts',
          '{brokers,interop}/test/**/*.broker-test.ts',
          'interop/{golden,live}/**/*.broker-test.ts',
        ],
        60_000,
        sharedBrokers,
      ),
      project(
        'faults',
        [
          '{packages,examples}/*/test/**/*.fault-test.ts',
          '{brokers,interop}/test/**/*.fault-test.ts',
          'interop/{golden,live}/**/*.fault-test.ts',
        ],
        300_000,
        sharedBrokers,
      ),
      project('chromium', ['{packages/*,bench}/test/**/*.chromium-test.ts'], 60_000),
      project('fuzz', ['fuzz/*.fuzz-test.ts'], 3_600_000),
      project('soak', ['packages/*/test/**/*.soak-test.ts'], 3_600_000),
    ],
  },
})

import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@oslo-messaging/core'
import { Deployment, type IDeployment } from 'kubernetes-models/apps/v1'
import { type IPodDisruptionBudget, PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { ConfigMap } from 'kubernetes-models/v1'
import { expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { DRAIN_MS, EVENTS, POOL, TOPIC } from '../src/service.ts'

interface Trigger {
  readonly type: string
  readonly metadata: Readonly<Record<string, string>>
  readonly authenticationRef?: { readonly name: string }
}

interface ScaledObject {
  readonly kind: 'ScaledObject'
  readonly spec: {
    readonly scaleTargetRef: { readonly name: string }
    readonly minReplicaCount: number
    readonly maxReplicaCount: number
    readonly triggers: readonly Trigger[]
  }
}

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

const folder = new URL('../manifests/', import.meta.url)
const manifests: Manifest[] = []
for (const file of (await readdir(folder)).sort()) {
  for (const document of parseAllDocuments(await readFile(new URL(file, folder), 'utf8'))) {
    expect(document.errors, file).toEqual([])
    manifests.push(document.toJS() as Manifest)
  }
}

/** The one manifest of this kind. */
function only(kind: string): Manifest {
  const [found, ...more] = manifests.filter((manifest) => manifest.kind === kind)
  if (found === undefined || more.length > 0) throw new Error(`There has to be one ${kind}`)
  return found
}

const deployment = only('Deployment') as Manifest & IDeployment
const budget = only('PodDisruptionBudget') as Manifest & IPodDisruptionBudget
const scaler = only('ScaledObject') as Manifest & ScaledObject
const pod = deployment.spec?.template
const container = pod?.spec?.containers[0]

it('Deployment, PodDisruptionBudget and ConfigMap - are valid by the schemas of Kubernetes', () => {
  const models = { Deployment, PodDisruptionBudget, ConfigMap }
  const validated = manifests.flatMap((manifest) => {
    const Model = Object.entries(models).find(([kind]) => kind === manifest.kind)?.[1]
    if (Model === undefined) return []
    const model = new Model(manifest)
    expect(model.apiVersion).toBe(manifest.apiVersion)
    model.validate()
    return [manifest.kind]
  })
  expect(validated.sort()).toEqual(['ConfigMap', 'Deployment', 'PodDisruptionBudget'])
  // The schemas do refuse what is wrong.
  const withoutPort = { name: 'stock', livenessProbe: { httpGet: { path: '/livez' } } }
  const wrong = { spec: { selector: {}, template: { spec: { containers: [withoutPort] } } } }
  expect(() => new Deployment(wrong as never).validate()).toThrow('must have required property port')
})

it('Deployment - probes ask what the service answers, and the cluster waits longer than a drain takes', () => {
  const paths = [container?.startupProbe, container?.livenessProbe, container?.readinessProbe].map((probe) => [
    probe?.httpGet?.path,
    probe?.httpGet?.port,
  ])
  expect(paths).toEqual([
    ['/livez', 'probes'],
    ['/livez', 'probes'],
    ['/readyz', 'probes'],
  ])
  expect(container?.ports?.map(({ name }) => name)).toEqual(['probes'])
  expect((pod?.spec?.terminationGracePeriodSeconds ?? 0) * 1000).toBeGreaterThan(DRAIN_MS)
})

it('PodDisruptionBudget - is about these pods, and lets one go of the fewest there are', () => {
  expect(budget.spec?.selector?.matchLabels).toEqual(deployment.spec?.selector.matchLabels)
  expect(pod?.metadata?.labels).toMatchObject(deployment.spec?.selector.matchLabels ?? {})
  expect(Number(budget.spec?.minAvailable)).toBeLessThan(scaler.spec.minReplicaCount)
})

it('ConfigMap and environment - service.conf is read without a warning, the URLs are those of the secret', async () => {
  const { data } = only('ConfigMap') as Manifest & { data: Record<string, string> }
  const file = join(await mkdtemp(join(tmpdir(), 'manifests-')), 'service.conf')
  await writeFile(file, data['service.conf'] ?? '')
  const urls: Readonly<Record<string, string>> = {
    rpc: 'rabbit://rabbit1:5672/stock',
    notifications: 'kafka://k:9092/',
  }
  const env = Object.fromEntries(
    (container?.env ?? []).map(({ name, value, valueFrom }) => [
      name,
      value ?? urls[valueFrom?.secretKeyRef?.key ?? ''] ?? '',
    ]),
  )
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  const silent = (): void => {}
  const logger = { debug: silent, info: silent, warn, error: warn }
  const conf = await loadConfig({ files: [file], env, logger })
  expect(warnings).toEqual([])
  expect(conf.get('DEFAULT', 'transport_url')).toBe(urls['rpc'])
  expect(conf.get('oslo_messaging_notifications', 'transport_url')).toBe(urls['notifications'])
  expect(conf.get('oslo_messaging_notifications', 'topics')).toEqual([EVENTS])
  expect(env['CONFIG_FILE']).toMatch(container?.volumeMounts?.[0]?.mountPath ?? 'none')
})

it('KEDA, by hand - the fields its scalers need are there, with the names that the service uses', () => {
  expect(scaler.apiVersion).toBe('keda.sh/v1alpha1')
  expect(scaler.spec.scaleTargetRef.name).toBe(deployment.metadata.name)
  expect(scaler.spec.minReplicaCount).toBeLessThan(scaler.spec.maxReplicaCount)
  const [rabbit, kafka] = scaler.spec.triggers
  expect(rabbit).toEqual({
    type: 'rabbitmq',
    metadata: { queueName: TOPIC, mode: 'QueueLength', value: expect.stringMatching(/^\d+$/) as string },
    authenticationRef: { name: only('TriggerAuthentication').metadata.name },
  })
  expect(kafka?.metadata).toEqual({
    bootstrapServers: expect.stringContaining(':') as string,
    topic: `${EVENTS}.info`,
    consumerGroup: POOL,
    lagThreshold: expect.stringMatching(/^\d+$/) as string,
    offsetResetPolicy: 'latest',
  })
})

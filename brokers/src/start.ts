import { type ArtemisBroker, type ArtemisOptions, startArtemisFromPackages } from './artemis/artemis-broker.ts'
import { type BrokerJ, type BrokerJOptions, startBrokerJFromPackages } from './broker-j/broker-j.ts'
import type { BrokerName } from './broker.ts'
import { dockerAnswers } from './docker.ts'
import { BrokerStartFailed, BrokerUnavailable } from './errors.ts'
import { startKafkaInDocker } from './kafka/kafka-docker.ts'
import { type KafkaBroker, type KafkaOptions, startKafkaFromPackages } from './kafka/kafka-broker.ts'
import type { LocalBroker } from './local-broker.ts'
import { type NatsBroker, type NatsOptions, startNatsFromPackages } from './nats/nats-broker.ts'
import { type RabbitBroker, type RabbitOptions, startRabbitFromPackages } from './rabbit/rabbit-broker.ts'
import { startRabbitInDocker } from './rabbit/rabbit-docker.ts'
import { type RedisOptions, startRedisFromPackages } from './redis/redis-broker.ts'

export interface BrokerOptions {
  readonly rabbit: RabbitOptions
  readonly kafka: KafkaOptions
  readonly artemis: ArtemisOptions
  readonly 'broker-j': BrokerJOptions
  readonly nats: NatsOptions
  readonly redis: RedisOptions
}

export interface BrokerTypes {
  readonly rabbit: RabbitBroker
  readonly kafka: KafkaBroker
  readonly artemis: ArtemisBroker
  readonly 'broker-j': BrokerJ
  readonly nats: NatsBroker
  readonly redis: LocalBroker
}

/** Starts a broker of one's own on free ports of 127.0.0.1, to be used and broken, and resolves when its protocol
 *  answers on every port. In a container when a Docker engine answers and one node will do, else from packages in the
 *  cache. It dies with this process; `close()` (or `await using`) ends it earlier.
 *  Rejects with BrokerUnavailable when this machine cannot have it, with BrokerStartFailed when it does not come up. */
export async function startBroker<N extends BrokerName>(name: N, options?: BrokerOptions[N]): Promise<BrokerTypes[N]>
export async function startBroker(
  name: BrokerName,
  options: BrokerOptions[BrokerName] = {},
): Promise<BrokerTypes[BrokerName]> {
  switch (name) {
    case 'rabbit': {
      const wanted = options as RabbitOptions
      const container = (wanted.nodes ?? 1) === 1 && (await dockerAnswers())
      return withOtherPorts(() => (container ? startRabbitInDocker(wanted) : startRabbitFromPackages(wanted)))
    }
    case 'kafka': {
      const wanted = options as KafkaOptions
      const container = (wanted.nodes ?? 1) === 1 && wanted.listeners === undefined && (await dockerAnswers())
      return withOtherPorts(() => (container ? startKafkaInDocker(wanted) : startKafkaFromPackages(wanted)))
    }
    case 'artemis':
      return withOtherPorts(() => startArtemisFromPackages(options as ArtemisOptions))
    case 'broker-j':
      return withOtherPorts(() => startBrokerJFromPackages(options))
    case 'nats':
      return withOtherPorts(() => startNatsFromPackages(options as NatsOptions))
    case 'redis':
      return withOtherPorts(() => startRedisFromPackages(options as RedisOptions))
    default:
      throw new BrokerUnavailable(
        String(name),
        'no such broker',
        'ask for rabbit, kafka, artemis, broker-j, nats or redis',
      )
  }
}

/** A port that somebody took between the choice and the bind costs another try, not the run. */
async function withOtherPorts<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (attempt === 3 || !(error instanceof BrokerStartFailed) || !error.portTaken) throw error
    }
  }
}

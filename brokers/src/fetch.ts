import { ARTEMIS_VERSION, artemisJars } from './artemis/artemis-broker.ts'
import { BROKER_J_VERSION, brokerJJars } from './broker-j/broker-j.ts'
import type { BrokerName } from './broker.ts'
import { kafkaJars, kafkaVersion } from './kafka/kafka-broker.ts'
import { unpackedProgram } from './debian.ts'
import { NATS } from './nats/nats-broker.ts'
import { rabbitPackages } from './rabbit/packages.ts'
import { REDIS } from './redis/redis-broker.ts'

/** Fills the cache with a broker's packages, so that a later start needs no network. No effect when they are there.
 *  Rejects with BrokerUnavailable. */
export async function fetchBroker(name: BrokerName, version?: string): Promise<void> {
  if (name === 'rabbit') await rabbitPackages(version)
  else if (name === 'kafka') await kafkaJars(kafkaVersion(version))
  else if (name === 'nats') await unpackedProgram(NATS, version)
  else if (name === 'redis') await unpackedProgram(REDIS, version)
  else if (name === 'broker-j') await brokerJJars(version ?? BROKER_J_VERSION)
  else await artemisJars(version ?? ARTEMIS_VERSION)
}

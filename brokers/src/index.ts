export { ArtemisBroker, type ArtemisOptions, type ArtemisTls } from './artemis/artemis-broker.ts'
export { BrokerJ, type BrokerJOptions } from './broker-j/broker-j.ts'
export type { Broker, BrokerAddress, BrokerName, BrokerNode, BrokerSource, HostPort, UrlOptions } from './broker.ts'
export { cached, cacheFolder } from './cache.ts'
export type { Certificates } from './certificates.ts'
export { BrokerStartFailed, BrokerUnavailable } from './errors.ts'
export { fetchBroker } from './fetch.ts'
export { FaultProxy, type FaultProxyOptions } from '@oslo-messaging/conformance/faults'
export { KafkaBroker, type KafkaOptions } from './kafka/kafka-broker.ts'
export { importSecondKafkaClient, SECOND_KAFKA_CLIENT } from './kafka/second-client.ts'
export type { NatsOptions } from './nats/nats-broker.ts'
export { freePorts } from './ports.ts'
export { type Prometheus, type PrometheusOptions, promtool, type Series, startPrometheus } from './prometheus.ts'
export {
  LAST_PYTHON_WITH_AMQP10,
  NEWEST_PYTHON,
  NEWEST_PYTHON_WITH_TRACING,
  type PythonRelease,
  pythonWithLibrary,
  NOVA_VERSION,
  pythonNova,
} from './python.ts'
export { RabbitBroker, type RabbitOptions } from './rabbit/rabbit-broker.ts'
export { RabbitControl, type UserRights } from './rabbit/control.ts'
export type { RedisOptions } from './redis/redis-broker.ts'
export { sharedBroker, type SharedBrokers, type SharedKafka, type SharedName, type SharedRabbit } from './shared.ts'
export { skipOrFail } from './skip.ts'
export { type BrokerOptions, type BrokerTypes, startBroker } from './start.ts'

import { deliveryFeatures } from './deliveries.ts'
import type { Feature } from './feature.ts'
import { contentFeatures } from './notifications.ts'
import { errorFeatures } from './rpc-errors.ts'
import { routingFeatures } from './rpc-routing.ts'
import { sameFeatures } from './rpc-same.ts'
import { timeFeatures } from './rpc-time.ts'
import { valueFeatures } from './rpc-values.ts'

/** The columns of the matrix. */
export const FEATURES: readonly Feature[] = [
  ...valueFeatures,
  ...routingFeatures,
  ...errorFeatures,
  ...timeFeatures,
  ...sameFeatures,
  ...contentFeatures,
  ...deliveryFeatures,
]

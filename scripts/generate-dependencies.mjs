// Writes docs/dependencies.md from what is installed.
import { checkSupplyChain } from './ci/supply-chain.mjs'

checkSupplyChain({ write: true })

import type { FeatureState } from '../features/feature-set.ts'
import type { MarketState } from '../market/market.ts'
import type { PortfolioState } from '../portfolio/portfolio.ts'
import type { RiskState } from '../risk/risk.ts'
import type { StrategiesState } from '../strategies/strategies.ts'
import type { OrdersState } from '../trading/order-state.ts'
import type { SettingsState } from './settings.ts'
import type { TimersState } from './timers.ts'

/** The state of every processor, in one place, so that it can be looked at. */
export interface StateTable {
  settings: SettingsState
  timers: TimersState
  market: MarketState
  portfolio: PortfolioState
  features: FeatureState
  strategies: StrategiesState
  risk: RiskState
  orders: OrdersState
}

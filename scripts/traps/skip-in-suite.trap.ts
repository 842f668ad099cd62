import { suite } from 'uvu'
const orders = suite('orders')
orders.skip('needs nothing', () => {})
orders('passes', () => {})
orders.run()

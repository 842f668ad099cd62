import { suite } from 'uvu'
const orders = suite('orders')
orders.only('the single one', () => {})
orders.run()

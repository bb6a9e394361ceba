cube(`Products`, {
  sql: `SELECT * FROM products`,

  measures: {
    count: { type: `count` },
  },

  dimensions: {
    id: { sql: `id`, type: `number`, primaryKey: true },
    name: { sql: `name`, type: `string` },
    category: { sql: `category`, type: `string` },
    price: { sql: `price`, type: `number` },
  },
});

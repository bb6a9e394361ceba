cube(`Orders`, {
  sql: `SELECT * FROM orders`,

  measures: {
    count: { type: `count` },
    total: { sql: `amount`, type: `sum` },
  },

  dimensions: {
    id: { sql: `id`, type: `number`, primaryKey: true },
    status: { sql: `status`, type: `string` },
  },
});

cube(`Customers`, {
  sql: `SELECT * FROM customers`,

  measures: {
    count: { type: `count` },
  },

  dimensions: {
    id: { sql: `id`, type: `number`, primaryKey: true },
    country: { sql: `country`, type: `string` },
    segment: { sql: `segment`, type: `string` },
    createdAt: { sql: `created_at`, type: `time` },
  },
});

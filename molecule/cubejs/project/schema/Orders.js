cube(`Orders`, {
  sql: `SELECT * FROM orders`,

  measures: {
    count: { type: `count` },
    amount: { sql: `amount`, type: `sum` },
  },

  dimensions: {
    id: { sql: `id`, type: `number`, primaryKey: true },
    status: { sql: `status`, type: `string` },
  },

  preAggregations: {
    byStatus: {
      type: `rollup`,
      external: true,
      scheduledRefresh: true,
      measures: [count, amount],
      dimensions: [status],
      refreshKey: { every: `1 hour` },
    },
  },
});

// The same for every tenant: whose orders these are is the source database's name, which no query names.
cube(`Orders`, {
  sql: `SELECT * FROM orders`,

  measures: {
    count: { type: `count` },
    total: { sql: `amount`, type: `sum` },
    // No rollup can add these up: a query for them goes to the source.
    buyers: { sql: `buyer`, type: `countDistinct` },
  },

  dimensions: {
    id: { sql: `id`, type: `number`, primaryKey: true },
    status: { sql: `status`, type: `string` },
  },

  preAggregations: {
    byStatus: {
      type: `rollup`,
      measures: [Orders.count, Orders.total],
      dimensions: [Orders.status],
      refreshKey: { every: `1 hour` },
      external: true,
      scheduledRefresh: true,
    },
  },
});

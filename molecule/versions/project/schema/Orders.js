cube(`Orders`, {
  sql: `SELECT * FROM shop.orders`,

  measures: {
    count: { type: `count` },
    total: { sql: `amount`, type: `sum` },
  },

  dimensions: {
    id: { sql: `id`, type: `number`, primaryKey: true },
    status: { sql: `status`, type: `string` },
  },

  preAggregations: {
    // Names of members as every release from 0.19 to 0.29 reads them.
    main: {
      type: `rollup`,
      measureReferences: [Orders.count, Orders.total],
      dimensionReferences: [Orders.status],
      refreshKey: { every: `1 hour` },
      external: true,
      scheduledRefresh: true,
    },
  },
});

cube(`Orders`, {
  sql: `SELECT * FROM orders`,

  joins: {
    Customers: { relationship: `belongsTo`, sql: `${CUBE}.customer_id = ${Customers}.id` },
  },

  measures: {
    count: { type: `count` },
    completedCount: { type: `count`, filters: [{ sql: `${CUBE}.status = 'completed'` }] },
    returnedCount: { type: `count`, filters: [{ sql: `${CUBE}.status = 'returned'` }] },
    returnedPercent: { sql: `100.0 * ${returnedCount} / NULLIF(${count}, 0)`, type: `number`, format: `percent` },
    shippingFees: { sql: `shipping_fee`, type: `sum`, format: `currency` },
    // Distinct customers of two days cannot be added up, so this one always asks the source.
    buyers: { sql: `customer_id`, type: `countDistinct` },
  },

  dimensions: {
    id: { sql: `id`, type: `number`, primaryKey: true },
    status: { sql: `status`, type: `string` },
    channel: { sql: `channel`, type: `string` },
    createdAt: { sql: `created_at`, type: `time` },
  },

  preAggregations: {
    // Up to 0.29 a pre-aggregation goes to the external storage, and is the refresh worker's, only if it says so itself.
    byCountry: {
      type: `rollup`,
      external: true,
      scheduledRefresh: true,
      measures: [count, completedCount, returnedCount, shippingFees],
      dimensions: [Customers.country, channel],
      timeDimension: createdAt,
      granularity: `day`,
      // Built anew when an order changes, looked at once a minute; the column has an index.
      refreshKey: { sql: `SELECT MAX(updated_at) FROM orders`, every: `1 minute` },
      indexes: { country: { columns: [Customers.country] } },
    },
  },
});

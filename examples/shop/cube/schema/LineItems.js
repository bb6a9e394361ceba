cube(`LineItems`, {
  sql: `SELECT * FROM line_items`,

  joins: {
    Orders: { relationship: `belongsTo`, sql: `${CUBE}.order_id = ${Orders}.id` },
    Products: { relationship: `belongsTo`, sql: `${CUBE}.product_id = ${Products}.id` },
  },

  measures: {
    count: { type: `count` },
    quantity: { sql: `quantity`, type: `sum` },
    grossRevenue: { sql: `${CUBE}.quantity * ${CUBE}.price`, type: `sum`, format: `currency` },
    revenue: {
      sql: `${CUBE}.quantity * ${CUBE}.price * (100 - ${CUBE}.discount_percent) / 100`,
      type: `sum`,
      format: `currency`,
    },
    averagePrice: { sql: `${grossRevenue} / NULLIF(${quantity}, 0)`, type: `number`, format: `currency` },
  },

  dimensions: {
    id: { sql: `CONCAT(${CUBE}.order_id, '-', ${CUBE}.line_number)`, type: `string`, primaryKey: true },
    discountPercent: { sql: `discount_percent`, type: `number` },
  },

  preAggregations: {
    // The name of the table in MySQL is made of the cube's name, this one, the month and three suffixes, and may not
    // be longer than 64 characters: so it is short.
    byCategory: {
      type: `rollup`,
      external: true,
      scheduledRefresh: true,
      measures: [count, quantity, grossRevenue, revenue],
      dimensions: [Products.category, Orders.status],
      timeDimension: Orders.createdAt,
      granularity: `day`,
      partitionGranularity: `month`,
      // Read from the small table, by its index: asked through the join it would be a scan of every line item.
      buildRangeStart: { sql: `SELECT MIN(created_at) FROM orders` },
      buildRangeEnd: { sql: `SELECT MAX(created_at) FROM orders` },
      // Months that ended more than a week ago are built once; only later ones are looked at again.
      refreshKey: { every: `10 minutes`, incremental: true, updateWindow: `1 week` },
    },
  },
});

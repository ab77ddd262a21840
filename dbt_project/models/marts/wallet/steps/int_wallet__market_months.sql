{#
  Our net sales, guests included, against the total of a market, over the months whose total is known. A total for
  all regions stands for itself; regions are added up where there is none.
#}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    totals as (
        select
            source,
            coalesce(category, 'all') as category,
            month,
            coalesce(
                sum(case when region = 'all' then amount end), sum(amount)
            ) as market_amount,
            coalesce(
                sum(case when region = 'all' then household_count end),
                sum(household_count)
            ) as household_count
        from {{ ref("int_wallet__market_totals") }}
        group by source, coalesce(category, 'all'), month
    ),

    sold as (
        select distinct source, category
        from {{ ref("dim_products") }}
        where category is not null
    ),

    -- a category that no product is filed under stands for the whole shop
    markets as (
        select totals.*, sold.category is null as is_whole_shop
        from totals
        cross join as_of
        left join sold using (source, category)
        where {{ add_months("totals.month", 1) }} <= {{ add_days("as_of.as_of", 1) }}
    ),

    sales as (
        select
            source,
            category,
            {{ month_start("order_date") }} as month,
            currency_code,
            sum(net_amount) as own_amount
        from {{ ref("fct_order_lines") }}
        where is_counted and category is not null
        group by source, category, {{ month_start("order_date") }}, currency_code
        union all
        select
            source,
            cast(null as {{ dbt.type_string() }}) as category,
            order_month as month,
            currency_code,
            sum(net_amount) as own_amount
        from {{ ref("fct_orders") }}
        where is_counted
        group by source, order_month, currency_code
    ),

    final as (
        select
            markets.source,
            markets.category,
            markets.month,
            as_of.reporting_currency_code as currency_code,
            markets.household_count,
            markets.market_amount,
            coalesce(sum(sales.own_amount), 0) as own_amount
        from markets
        cross join as_of
        left join
            sales
            on markets.source = sales.source
            and markets.month = sales.month
            and sales.currency_code = as_of.reporting_currency_code
            and (
                (markets.is_whole_shop and sales.category is null)
                or (not markets.is_whole_shop and markets.category = sales.category)
            )
        group by
            markets.source,
            markets.category,
            markets.month,
            as_of.reporting_currency_code,
            markets.household_count,
            markets.market_amount
    )

select *
from final

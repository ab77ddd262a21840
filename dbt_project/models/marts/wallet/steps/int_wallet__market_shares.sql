{#
  Our part of a whole market by calendar quarter and year, over the months whose total is known: our net sales, guests
  included, against the market. A total for all regions is used as it is; without one, regions are added up.
#}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    totals as (
        select
            source,
            coalesce(category, 'all') as category,
            cast({{ month_start("month") }} as date) as month,
            coalesce(
                sum(case when coalesce(region, 'all') = 'all' then amount end),
                sum(amount)
            ) as market_amount,
            coalesce(
                sum(case when coalesce(region, 'all') = 'all' then households end),
                sum(households)
            ) as household_count
        from {{ ref("stg_market_totals__totals") }}
        group by
            source, coalesce(category, 'all'), cast({{ month_start("month") }} as date)
    ),

    sold as (
        select distinct source, category
        from {{ ref("dim_products") }}
        where category is not null
    ),

    -- a category without a product of ours is the whole shop
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

    months as (
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
    ),

    placed as ({{ by_period("months", "month") }}),

    final as (
        select
            {{ made_key(["source", "category", "period_grain", "period_start_date"]) }}
            as brand_period_key,
            source,
            category,
            period_grain,
            period_start_date,
            'our sales' as brand,
            true as is_us,
            cast(max(household_count) as bigint) as base_count,
            {%- for name in ["buyer_count", "purchase_count", "sole_buyer_count"] %}
                cast(null as bigint) as {{ name }},
            {%- endfor %}
            cast(sum(own_amount) as {{ type_amount() }}) as amount,
            cast(sum(market_amount) as {{ type_amount() }}) as market_amount,
            {{ div("sum(own_amount)", "sum(market_amount)") }} as value_market_share,
            {%- for name in [
                "market_share",
                "purchase_frequency",
                "category_frequency",
                "requirements_share",
                "value_requirements_share",
                "mean_share",
            ] %}
                cast(null as {{ type_double() }}) as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from placed
        group by source, category, period_grain, period_start_date
    )

select *
from final

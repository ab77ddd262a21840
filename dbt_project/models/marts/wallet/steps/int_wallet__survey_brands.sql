{# What respondents say of every brand, by calendar quarter and year; the latest answer in a period counts. #}
with
    customers as (select * from {{ ref("dim_customers") }}),

    ratings as (
        select ratings.*
        from {{ ref("fct_brand_ratings") }} as ratings
        left join customers on ratings.customer_key = customers.customer_key
        where
            not ratings.is_duplicate
            and ratings.is_used
            and coalesce(customers.base, 'customer') = 'customer'
    ),

    placed as ({{ by_period("ratings", "submitted_date") }}),

    latest as (
        select
            *,
            dense_rank() over (
                partition by
                    source,
                    category,
                    period_grain,
                    period_start_date,
                    coalesce(customer_key, response_key)
                order by submitted_date desc, md5(response_key)
            ) as recency
        from placed
    ),

    markets as (
        select
            {{ brand_period_grain() }},
            count(distinct response_key) as base_count,
            count(
                distinct case when wallet_share is not null then response_key end
            ) as ranked_count,
            sum(stated_amount) as market_amount
        from latest
        where recency = 1
        group by {{ brand_period_grain() }}
    ),

    final as (
        select
            {{ brand_period_key() }} as brand_period_key,
            {{ brand_period_grain() }},
            brand,
            max(case when is_us then 1 else 0 end) = 1 as is_us,
            cast(max(markets.base_count) as bigint) as base_count,
            cast(count(*) as bigint) as buyer_count,
            cast(null as bigint) as purchase_count,
            cast(
                sum(case when brands_used_count = 1 then 1 else 0 end) as bigint
            ) as sole_buyer_count,
            cast(sum(stated_amount) as {{ type_amount() }}) as amount,
            cast(max(markets.market_amount) as {{ type_amount() }}) as market_amount,
            -- by the Wallet Allocation Rule, every respondent's wallet being one
            {{ div("sum(wallet_share)", "max(markets.ranked_count)") }} as market_share,
            {{ div("sum(stated_amount)", "max(markets.market_amount)") }}
            as value_market_share,
            {%- for name in [
                "purchase_frequency",
                "category_frequency",
                "requirements_share",
                "value_requirements_share",
            ] %}
                cast(null as {{ type_double() }}) as {{ name }},
            {%- endfor %}
            {{ div("sum(wallet_share)", "count(wallet_share)") }} as mean_share
        from latest
        inner join markets using ({{ brand_period_grain() }})
        where latest.recency = 1
        group by {{ brand_period_grain() }}, brand
    )

select *
from final

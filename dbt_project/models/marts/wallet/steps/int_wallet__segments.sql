{# Wallets by what their customer is: tier now and before, stage, satisfaction, each attribute of `segments`; every customer once in each. #}
with
    wallets as (select * from {{ ref("fct_customer_wallets") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    -- currencies are never added up: own amounts are in each customer's
    customers as (select * from {{ ref("dim_customers") }}),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    sized as (
        select
            wallets.*,
            -- sums and means are of the same customers: those with a wallet
            case
                when wallets.wallet_amount is not null then wallets.share_of_wallet
            end as sized_share,
            customers.currency_code
        from wallets
        inner join customers on wallets.customer_key = customers.customer_key
    ),

    segmented as (
        {%- for name in ["all", "tier", "tier_prior", "stage", "satisfaction_class"] %}
            select
                sized.*,
                '{{ name }}' as segment_by,
                {% if name == "all" %} 'all'
                {% else %} coalesce(scores.{{ name }}, 'unknown')
                {% endif %} as segment
            from sized
            left join scores on sized.customer_key = scores.customer_key
            union all
        {%- endfor %}
        select sized.*, segments.segment_by, segments.segment
        from sized
        inner join segments on sized.customer_key = segments.customer_key
        where segments.segment_by <> 'all'
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "source",
                        "category",
                        "period_grain",
                        "period_start_date",
                        "segment_by",
                        "segment",
                        "currency_code",
                    ]
                )
            }} as wallet_segment_key,
            source,
            category,
            period_grain,
            period_start_date,
            segment_by,
            segment,
            currency_code,
            count(*) as customer_count,
            sum(own_amount) as own_amount,
            count(sow_stated) as stated_count,
            sum(sow_stated) as stated_share_sum,
            sum(
                {{ wide_product("sow_stated", "sow_stated", 8) }}
            ) as stated_share_squares,
            sum(
                case when sow_stated is not null then own_amount_stated_days end
            ) as stated_own_amount,
            sum(
                case when sow_stated is not null then stated_wallet_amount end
            ) as stated_wallet_amount,
            count(wallet_amount) as wallet_count,
            sum(sized_share) as share_sum,
            sum({{ wide_product("sized_share", "sized_share", 8) }}) as share_squares,
            count(sized_share) as share_count,
            sum(
                case when wallet_amount is not null then own_amount end
            ) as sized_own_amount,
            sum(wallet_amount) as wallet_amount,
            sum(
                case
                    when wallet_method in ('quantile regression', 'peers') then 1 else 0
                end
            ) as inferred_count,
            count(brands_used_count) as brands_answer_count,
            sum(brands_used_count) as brands_used_sum,
            sum(case when is_sole_buyer then 1 else 0 end) as sole_buyer_count,
            count(is_sole_buyer) as sole_answer_count
        from segmented
        group by
            source,
            category,
            period_grain,
            period_start_date,
            segment_by,
            segment,
            currency_code
    )

select *
from final

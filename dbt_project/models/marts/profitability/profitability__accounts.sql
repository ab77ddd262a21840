{# One account is what one payer, or one household, is billed; the users in it are who is asked. #}
with
    accounts as (select * from {{ ref("int_profitability__customer_accounts") }}),

    profits as (select * from {{ ref("int_profitability__customer_profits") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    basis as (select * from {{ ref("dim_cost_basis") }}),

    summed as (
        select
            accounts.account_key,
            accounts.currency_code,
            min(accounts.account_kind) as account_kind,
            min(accounts.account_id) as account_id,
            min(accounts.source) as source,
            count(*) as customer_count,
            count(case when accounts.account_role = 'user' then 1 end) as user_count,
            count(scores.satisfaction_index) as satisfaction_index_count,
            sum(scores.satisfaction_index) as satisfaction_index_sum,
            {{ customer_day_sums("profits") }}
        from accounts
        inner join profits on accounts.customer_key = profits.base_key
        left join scores on accounts.customer_key = scores.customer_key
        group by accounts.account_key, accounts.currency_code
    ),

    stepped as (select *, {{ waterfall_steps() }} from summed),

    ranked as (
        select
            *,
            order_count > 0 and profit_amount is not null as is_ranked,
            row_number() over (
                partition by
                    currency_code, order_count > 0 and profit_amount is not null
                order by profit_amount desc, account_id, account_key
            ) as place
        from stepped
    ),

    final as (
        select
            ranked.account_key,
            ranked.account_id,
            ranked.account_kind,
            ranked.source,
            cast(ranked.customer_count as bigint) as customer_count,
            {{ when_delivered("customers", "cast(ranked.user_count as bigint)") }}
            as user_count,
            {{ when_delivered("orders", "ranked.order_count") }} as order_count,
            ranked.currency_code,
            {{ waterfall_columns("ranked") }},
            basis.cost_basis,
            cast(
                case when ranked.is_ranked then ranked.place end as bigint
            ) as profit_rank,
            {{
                div(
                    "ranked.satisfaction_index_sum", "ranked.satisfaction_index_count"
                )
            }} as satisfaction_index,
            cast(ranked.satisfaction_index_count as bigint) as satisfaction_index_count
        from ranked
        cross join basis
    )

select *
from final

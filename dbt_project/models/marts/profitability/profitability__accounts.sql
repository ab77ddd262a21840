{# One account is what one payer, or one household, is billed; the users in it are who is asked. #}
with
    accounts as (select * from {{ ref("int_profitability__customer_accounts") }}),

    profits as (select * from {{ ref("int_profitability__customer_profits") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    basis as (select * from {{ ref("dim_cost_basis") }}),

    value_basis as (select * from {{ ref("dim_value_basis") }}),

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

    -- accounts are valued as customers are; without purchases there is no rank
    valued as (
        select
            stepped.*,
            value_basis.value_basis,
            case
                when stepped.order_count = 0
                then null
                when value_basis.value_basis = 'net_revenue'
                then stepped.net_amount
                else stepped.profit_amount
            end as value_amount
        from stepped
        left join value_basis on stepped.currency_code = value_basis.currency_code
    ),

    ranked as (
        select
            *,
            case
                when value_amount is not null
                then
                    row_number() over (
                        partition by
                            currency_code,
                            case when value_amount is null then 1 else 0 end
                        order by value_amount desc, account_id, account_key
                    )
            end as value_rank
        from valued
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
            {{ when_delivered("customer_orders", "ranked.order_count") }}
            as order_count,
            ranked.currency_code,
            {{ waterfall_columns("ranked") }},
            basis.cost_basis,
            case
                when ranked.value_basis = 'net_revenue' then 'net_revenue' else 'profit'
            end as value_basis,
            cast(ranked.value_rank as bigint) as value_rank,
            cast(
                case
                    when ranked.value_basis = 'net_revenue'
                    then null
                    else ranked.value_rank
                end as bigint
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

with
    -- a customer whose costs are unknown has no place on the curve
    profits as (
        select * from {{ ref("int_profitability__customer_profits") }} where is_on_curve
    ),

    ranked as (
        select
            base_key as customer_key,
            customer_id,
            currency_code,
            profit_amount,
            profit_rank,
            sum(profit_amount) over (
                partition by currency_code
                order by profit_rank
                rows between unbounded preceding and current row
            ) as cumulative_profit_amount,
            count(*) over (partition by currency_code) as customer_count,
            sum(profit_amount) over (partition by currency_code) as total_profit_amount,
            sum(case when profit_amount < 0 then 1 else 0 end) over (
                partition by currency_code
            ) as unprofitable_count
        from profits
    ),

    peaked as (
        select
            *,
            max(cumulative_profit_amount) over (
                partition by currency_code
            ) as peak_profit_amount
        from ranked
    ),

    final as (
        select
            currency_code,
            cast(profit_rank as bigint) as profit_rank,
            customer_key,
            customer_id,
            profit_amount,
            cast(
                cumulative_profit_amount as {{ type_amount() }}
            ) as cumulative_profit_amount,
            cast(customer_count as bigint) as customer_count,
            {{ div("profit_rank", "customer_count") }} as customer_share_rate,
            case
                when total_profit_amount > 0
                then {{ div("cumulative_profit_amount", "total_profit_amount") }}
            end as cumulative_profit_rate,
            case
                when total_profit_amount > 0
                then {{ div("peak_profit_amount", "total_profit_amount") }}
            end as peak_profit_rate,
            cumulative_profit_amount = peak_profit_amount
            and profit_rank = min(
                case
                    when cumulative_profit_amount = peak_profit_amount then profit_rank
                end
            ) over (partition by currency_code) as is_peak,
            profit_amount < 0 as is_unprofitable,
            {{ div("unprofitable_count", "customer_count") }} as unprofitable_rate
        from peaked
    )

select *
from final

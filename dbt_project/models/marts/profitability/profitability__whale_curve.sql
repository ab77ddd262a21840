with
    -- a customer without an order, or of unknown value, has no place on the curve
    profits as (
        select *
        from {{ ref("int_profitability__customer_profits") }}
        where curve_rank is not null
    ),

    ranked as (
        select
            base_key as customer_key,
            customer_id,
            currency_code,
            case
                when value_basis = 'net_revenue' then 'net_revenue' else 'profit'
            end as value_basis,
            profit_amount,
            curve_amount as value_amount,
            curve_rank,
            sum(curve_amount) over (
                partition by currency_code
                order by curve_rank
                rows between unbounded preceding and current row
            ) as cumulative_value_amount,
            count(*) over (partition by currency_code) as customer_count,
            sum(curve_amount) over (partition by currency_code) as total_value_amount,
            case
                when value_basis = 'net_revenue' then null else curve_amount < 0
            end as is_unprofitable
        from profits
    ),

    peaked as (
        select
            *,
            max(cumulative_value_amount) over (
                partition by currency_code
            ) as peak_value_amount,
            sum(
                case when is_unprofitable then 1 when not is_unprofitable then 0 end
            ) over (partition by currency_code) as unprofitable_count
        from ranked
    ),

    final as (
        select
            currency_code,
            cast(curve_rank as bigint) as curve_rank,
            customer_key,
            customer_id,
            value_basis,
            profit_amount,
            value_amount,
            cast(
                cumulative_value_amount as {{ type_amount() }}
            ) as cumulative_value_amount,
            cast(customer_count as bigint) as customer_count,
            {{ div("curve_rank", "customer_count") }} as customer_share_rate,
            case
                when total_value_amount > 0
                then {{ div("cumulative_value_amount", "total_value_amount") }}
            end as cumulative_value_rate,
            case
                when total_value_amount > 0
                then {{ div("peak_value_amount", "total_value_amount") }}
            end as peak_value_rate,
            cumulative_value_amount = peak_value_amount
            and curve_rank = min(
                case
                    when cumulative_value_amount = peak_value_amount then curve_rank
                end
            ) over (partition by currency_code) as is_peak,
            is_unprofitable,
            {{ div("unprofitable_count", "customer_count") }} as unprofitable_rate
        from peaked
    )

select *
from final

with
    summed as (select * from {{ ref("int_programme__points_months") }}),

    dues as (select * from {{ ref("int_programme__points_expiring") }}),

    joined as (
        select
            summed.*,
            dues.account_count,
            dues.due_points,
            {{
                shown(
                    div("dues.expired_points", "dues.due_points"),
                    "dues.account_count",
                )
            }} as breakage_rate,
            dues.due_square_sum,
            dues.product_sum,
            dues.expired_square_sum,
            -- points that can still be burned or expire
            summed.added_so_far_points - coalesce(dues.due_points, 0) as undue_points,
            {% if var("point_value") is none %}
                {{ div("summed.value_amount", "summed.valued_points") }}
            {% else %} cast({{ var("point_value") }} as {{ type_double() }})
            {% endif %} as point_value
        from summed
        left join dues using (source, programme_key, month)
    ),

    expected as (
        select
            *,
            -- accounts, not points, are independent of each other
            case
                when account_count > 1
                then
                    sqrt(
                        greatest(
                            0,
                            expired_square_sum
                            - 2 * breakage_rate * product_sum
                            + breakage_rate * breakage_rate * due_square_sum
                        )
                        * {{ div("account_count", "account_count - 1") }}
                    )
                    / due_points
            end as breakage_error,
            -- what will expire of points not yet due has to come out of the balance
            case
                when balance_points > 0 and breakage_rate is not null
                then
                    least(
                        1,
                        greatest(
                            0,
                            1
                            - breakage_rate
                            * {{ div("undue_points", "balance_points") }}
                        )
                    )
            end as redeemed_rate
        from joined
    ),

    final as (
        select
            {{ made_key(["source", "programme_key", "month"]) }}
            as programme_points_key,
            *,
            {{ div("burned_so_far_points", "earned_so_far_points") }}
            as redemption_rate,
            -- an unknown rate has no bounds: greatest() and least() would pass over it
            case
                when breakage_rate is not null
                then greatest(0, breakage_rate - {{ var("z_score") }} * breakage_error)
            end as breakage_rate_low,
            case
                when breakage_rate is not null
                then least(1, breakage_rate + {{ var("z_score") }} * breakage_error)
            end as breakage_rate_high,
            cast(
                greatest(balance_points, 0) * point_value as {{ type_amount() }}
            ) as full_liability_amount,
            {{
                rounded(
                    "case when balance_points <= 0 then 0 else balance_points * point_value * redeemed_rate end",
                    4,
                )
            }}
            as liability_amount,
            case
                when balance_points <= 0
                then null
                when point_value is null
                then 'no burned point has a value'
                when breakage_rate is null
                then
                    'fewer than {{ var("min_base") }} accounts have points that came due'
            end as liability_reason
        from expected
    )

select *
from final

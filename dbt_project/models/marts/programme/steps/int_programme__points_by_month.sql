with
    vintages as (select * from {{ ref("int_programme__points_vintages") }}),

    entries as (select * from {{ ref("int_programme__points_entries") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    uses as (select * from {{ ref("int_programme__points_uses") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    expired as (
        select lot_key, sum(points) as points
        from uses
        where kind = 'expire' and lot_key is not null
        group by lot_key
    ),

    lots as (
        select
            entries.source,
            entries.programme_key,
            entries.account_key,
            {{ month_start("entries.expires_date") }} as due_month,
            sum(entries.balance_points) as due_points,
            sum(coalesce(expired.points, 0)) as expired_points
        from entries
        cross join as_of
        left join expired on entries.entry_key = expired.lot_key
        where entries.balance_points > 0 and entries.expires_date <= as_of.as_of
        group by
            entries.source,
            entries.programme_key,
            entries.account_key,
            {{ month_start("entries.expires_date") }}
    ),

    by_month as (
        select
            lots.source,
            lots.programme_key,
            lots.account_key,
            months.month,
            cast(sum(lots.due_points) as decimal(28, 2)) as due_points,
            cast(sum(lots.expired_points) as decimal(28, 2)) as expired_points
        from lots
        inner join months on lots.due_month <= months.month
        group by lots.source, lots.programme_key, lots.account_key, months.month
    ),

    -- points that were due to expire by the end of a month, and how many expired: once
    -- due, a lot is burned or expired, so this share needs no forecast. Sums of squares
    -- over accounts give its error.
    dues as (
        select
            source,
            programme_key,
            month,
            count(*) as account_count,
            sum(due_points) as due_points,
            sum(expired_points) as expired_points,
            sum(due_points * due_points) as due_square_sum,
            sum(due_points * expired_points) as product_sum,
            sum(expired_points * expired_points) as expired_square_sum
        from by_month
        group by source, programme_key, month
    ),

    flows as (
        select
            source,
            programme_key,
            programme_id,
            month,
            is_partial_month,
            sum(earned_points) as earned_points,
            sum(burned_points) as burned_points,
            sum(expired_points) as expired_points,
            sum(adjusted_points) as adjusted_points,
            sum(added_points) as added_points,
            sum(outstanding_points) as balance_points
        from vintages
        group by source, programme_key, programme_id, month, is_partial_month
    ),

    burns as (
        select
            source,
            programme_key,
            month,
            - sum(balance_points) as valued_points,
            sum(value_amount) as value_amount
        from entries
        where kind = 'burn' and value_amount is not null
        group by source, programme_key, month
    ),

    summed as (
        select
            flows.*,
            {% for name in ["earned", "burned", "added"] %}
                sum(flows.{{ name }}_points) over so_far as {{ name }}_so_far_points,
            {% endfor %}
            sum(burns.valued_points) over so_far as valued_points,
            sum(burns.value_amount) over so_far as value_amount
        from flows
        left join burns using (source, programme_key, month)
        window
            so_far as (
                partition by flows.source, flows.programme_key
                order by flows.month
                rows between unbounded preceding and current row
            )
    ),

    joined as (
        select
            summed.*,
            dues.account_count,
            dues.due_points,
            {{
                suppress_small(
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

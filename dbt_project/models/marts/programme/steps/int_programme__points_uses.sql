{# A use that no lot covers has overdrawn the account: it counts in the month in which it happened. #}
with
    entries as (select * from {{ ref("int_programme__points_entries") }}),

    expiries as (select * from {{ ref("int_programme__points_expiries") }}),

    expired_lots as (
        select lot_key as entry_key, sum(points) as points
        from expiries
        group by lot_key
    ),

    expired_uses as (
        select use_key as entry_key, sum(points) as points
        from expiries
        group by use_key
    ),

    -- what expiries leave of the lots is used first in, first out, by all that takes
    -- points away
    left_over as (
        select
            entries.account_key,
            entries.entry_key,
            entries.entered_at,
            entries.balance_points > 0 as is_lot,
            cast(
                abs(entries.balance_points) - coalesce(
                    expired_lots.points, expired_uses.points, 0
                ) as {{ type_amount() }}
            ) as points
        from entries
        left join expired_lots on entries.entry_key = expired_lots.entry_key
        left join expired_uses on entries.entry_key = expired_uses.entry_key
    ),

    laid as (
        select
            *,
            cast(
                sum(points) over (
                    partition by account_key, is_lot
                    order by entered_at, entry_key
                    rows between unbounded preceding and current row
                ) as {{ type_amount() }}
            ) as high_point
        from left_over
        where points > 0
    ),

    open_lots as (
        select
            account_key,
            entry_key,
            cast(high_point - points as {{ type_amount() }}) as low_point,
            high_point
        from laid
        where is_lot
    ),

    open_uses as (
        select
            account_key,
            entry_key,
            cast(high_point - points as {{ type_amount() }}) as low_point,
            high_point
        from laid
        where not is_lot
    ),

    first_in as ({{ overlaps("open_lots", "open_uses") }}),

    matched as (
        select lot_key, use_key, points
        from expiries
        union all
        select lot_key, use_key, points
        from first_in
    ),

    covered as (select use_key, sum(points) as points from matched group by use_key),

    together as (
        -- an expiry whose lots were not all due may take points of one lot in both ways
        select lot_key, use_key, sum(points) as points
        from matched
        group by lot_key, use_key
        union all
        select
            cast(null as {{ dbt.type_string() }}),
            entries.entry_key,
            - entries.balance_points - coalesce(covered.points, 0)
        from entries
        left join covered on entries.entry_key = covered.use_key
        where - entries.balance_points - coalesce(covered.points, 0) > 0
    ),

    final as (
        select
            {{ made_key(["together.use_key", "together.lot_key"]) }} as points_use_key,
            together.lot_key,
            together.use_key,
            uses.source,
            uses.programme_key,
            uses.programme_id,
            uses.customer_key,
            uses.kind,
            -- points used before they were earned are overdrawn until then
            least(uses.month, coalesce(lots.month, uses.month)) as vintage_month,
            uses.month,
            lots.expires_date,
            cast(together.points as {{ type_amount() }}) as points
        from together
        inner join entries as uses on together.use_key = uses.entry_key
        left join entries as lots on together.lot_key = lots.entry_key
    )

select *
from final

{# What expiries leave of the lots is used first in, first out, by all that takes points away. #}
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

    lots as (
        select
            account_key,
            entry_key,
            cast(high_point - points as {{ type_amount() }}) as low_point,
            high_point
        from laid
        where is_lot
    ),

    uses as (
        select
            account_key,
            entry_key,
            cast(high_point - points as {{ type_amount() }}) as low_point,
            high_point
        from laid
        where not is_lot
    ),

    final as ({{ overlaps("lots", "uses") }})

select *
from final

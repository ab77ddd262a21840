{#
  Points that were due to expire by the end of a month, and what of them did: once due, a lot is
  burned or expired, so this share needs no forecast. Sums of squares over accounts give its error.
#}
with
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
            cast(sum(lots.due_points) as decimal(18, 2)) as due_points,
            cast(sum(lots.expired_points) as decimal(18, 2)) as expired_points
        from lots
        inner join months on lots.due_month <= months.month
        group by lots.source, lots.programme_key, lots.account_key, months.month
    ),

    final as (
        select
            {{ made_key(["source", "programme_key", "month"]) }} as points_due_key,
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
    )

select *
from final

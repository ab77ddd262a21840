{#
  Points taken from lots: `lots` and `uses` lay intervals (low_point, high_point] on one axis per
  account, each list without overlaps; where two of them overlap, the use took so many points of
  the lot. One pass over the sorted edges: no lot is compared with every use.
#}
{% macro overlaps(lots, uses) -%}
    select
        cuts.account_key,
        lots.entry_key as lot_key,
        uses.entry_key as use_key,
        cuts.point - cuts.previous_point as points
    from
        (
            select
                account_key,
                point,
                coalesce(
                    lag(point) over (partition by account_key order by point), 0
                ) as previous_point,
                min(lot_point) over (
                    partition by account_key
                    order by point
                    rows between current row and unbounded following
                ) as lot_point,
                min(use_point) over (
                    partition by account_key
                    order by point
                    rows between current row and unbounded following
                ) as use_point
            from
                (
                    select
                        account_key,
                        point,
                        max(lot_point) as lot_point,
                        max(use_point) as use_point
                    from
                        (
                            {%- for list, name in [
                                (lots, "lot_point"),
                                (uses, "use_point"),
                            ] %}
                                {%- for edge in ["low_point", "high_point"] %}
                                    {% if not loop.first or name == "use_point" %}
                                        union all
                                    {% endif %}
                                    select
                                        account_key,
                                        {{ edge }} as point,
                                        {{
                                            (
                                                "high_point"
                                                if edge == "high_point"
                                                and name == "lot_point"
                                                else "cast(null as decimal(18, 4))"
                                            )
                                        }} as lot_point,
                                        {{
                                            (
                                                "high_point"
                                                if edge == "high_point"
                                                and name == "use_point"
                                                else "cast(null as decimal(18, 4))"
                                            )
                                        }} as use_point
                                    from {{ list }}
                                {%- endfor %}
                            {%- endfor %}
                        ) as edges
                    group by account_key, point
                ) as points
        ) as cuts
    inner join
        {{ lots }} as lots
        on cuts.account_key = lots.account_key
        and cuts.lot_point = lots.high_point
        and cuts.point > lots.low_point
    inner join
        {{ uses }} as uses
        on cuts.account_key = uses.account_key
        and cuts.use_point = uses.high_point
        and cuts.point > uses.low_point
    where cuts.point > cuts.previous_point
{%- endmacro %}

{#
  Pettitt's test (1979) for one change point, on whole months: U(t) = sum over i <= t of V(i), V(i) =
  sum over j of sign(x(i) - x(j)); K = max |U|, p = 2 exp(-6 K^2 / (n^3 + n^2)). By ranks, so that it
  needs no distribution and gives the same result everywhere.
#}
with
    figures as (
        select *
        from {{ ref("int_loyalty__kpi_months") }}
        where not is_partial_month and kpi_value is not null
    ),

    compared as (
        select
            one.source,
            one.kpi,
            one.month,
            one.kpi_value,
            sum({{ sign_of_difference("one.kpi_value", "other.kpi_value") }}) as v
        from figures as one
        inner join figures as other using (source, kpi)
        group by one.source, one.kpi, one.month, one.kpi_value
    ),

    summed as (
        select
            *,
            sum(v) over in_time as u,
            count(*) over (partition by source, kpi) as month_count,
            lead(month) over (partition by source, kpi order by month) as next_month
        from compared
        window
            in_time as (
                partition by source, kpi
                order by month
                rows between unbounded preceding and current row
            )
    ),

    placed as (select *, max(abs(u)) over (partition by source, kpi) as k from summed),

    tested as (
        select
            source,
            kpi,
            max(month_count) as month_count,
            max(k) as k,
            min(case when abs(u) = k and k > 0 then next_month end) as change_month
        from placed
        group by source, kpi
    ),

    final as (
        select
            {{ made_key(["tested.source", "tested.kpi"]) }} as kpi_break_key,
            tested.source,
            tested.kpi,
            tested.month_count,
            tested.k,
            tested.change_month,
            least(
                1,
                2 * exp(
                    -6
                    *
                    {{
                        div(
                            "tested.k * tested.k",
                            "tested.month_count * tested.month_count * (tested.month_count + 1)",
                        )
                    }}
                )
            ) as p_value,
            {{
                div(
                    "sum(case when figures.month < tested.change_month then kpi_value end)",
                    "count(case when figures.month < tested.change_month then 1 end)",
                )
            }}
            as mean_before,
            {{
                div(
                    "sum(case when figures.month >= tested.change_month then kpi_value end)",
                    "count(case when figures.month >= tested.change_month then 1 end)",
                )
            }}
            as mean_after
        from tested
        inner join figures using (source, kpi)
        group by
            tested.source, tested.kpi, tested.month_count, tested.k, tested.change_month
    )

select *
from final
